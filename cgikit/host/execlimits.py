"""The limits of the system on the environment and the arguments of a new program (execve(2)).

A request beyond them gets an answer that says so (RFC 6585 section 5, RFC 9110 section 15.5.15). A warm
script, which these limits do not concern, gets the same answer.
"""

import os
import sys

from .problem import Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PAGE = os.sysconf("SC_PAGE_SIZE")
#: Bytes of one variable with its name, "=" and the NUL at its end: MAX_ARG_STRLEN, if there is one.
MAX_VARIABLE = 32 * _PAGE if sys.platform == "linux" else 1 << 30
_OF_THE_URI = frozenset(
    {"DOCUMENT_URI", "PATH_INFO", "PATH_TRANSLATED", "QUERY_STRING", "REQUEST_URI", "SCRIPT_NAME"}
)
_POINTER = 8  # bytes of it to each variable and word
_REST = (
    8_192  # bytes for the path of the program and that of its interpreter, and what the kernel adds
)


def check(
    variables: "Mapping[str, str]", words: "Sequence[str]", base: "Mapping[str, str]"
) -> None:
    """Refuse a request that does not fit: `Problem` 414 if its URL is too long, else 431.

    `variables` are those of the request, `words` its arguments, `base` what all scripts get.
    """
    # No character takes more than four bytes, and nearly all requests are this small
    if 4 * sum(map(len, variables.values())) < MAX_VARIABLE // 2 and len(words) < 100:
        return
    longest, most, total = "", 0, 0
    for name, value in variables.items():
        size = _size(name) + _size(value) + 2
        total += size + _POINTER
        if size > most:
            longest, most = name, size
    if most > MAX_VARIABLE:
        raise _too_large(longest, most, MAX_VARIABLE)
    total += sum(_size(name) + _size(value) + 2 + _POINTER for name, value in base.items())
    total += sum(_size(word) + 1 + _POINTER for word in words)
    # It depends on the limit of the stack, which may change.
    room = os.sysconf("SC_ARG_MAX") - _REST
    if total > room:
        raise _too_large(longest, total, room)


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(os.fsencode(text))


def _too_large(name: str, size: int, most: int) -> Problem:
    what = (
        f"The request is larger than the system can pass to a program: {size} bytes, most of them in"
        f" {name}; the limit is {most}."
    )
    return Problem(414 if name in _OF_THE_URI else 431, what)
