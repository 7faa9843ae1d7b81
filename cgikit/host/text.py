"""Text from outside as one line of a log: control characters are shown, never obeyed.

A log event is one line. A request or a script that could print a line end, or a terminal's escape
sequence, could forge events or repaint the console. Only this conversion lives here.
"""

import os


def one_line(text: str, limit: int = 2_000) -> str:
    r"""Return `text` with everything unprintable escaped, cut after `limit` characters.

    A tab stays; `"\x1b"` becomes the four characters `\x1b`. Lone surrogates (undecodable bytes)
    are unprintable as well, so that the result always encodes.
    """
    if len(text) > limit:
        text = f"{text[:limit]}… ({len(text) - limit} more characters)"
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\t" else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def native(latin1: str) -> str:
    """Return the text as `os` functions want it: the same bytes, decoded as file names are.

    HTTP and WSGI hand over bytes as ISO-8859-1 text. `UnicodeEncodeError` if it is not such text.
    """
    return os.fsdecode(latin1.encode("latin-1"))
