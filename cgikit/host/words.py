"""The command line of a script: RFC 3875 section 4.4, the queries of ISINDEX. Pure.

The script's side, which may read it, is `cgikit.parameters`.
"""

import os

from .text import unescaped


def query_words(method: str, query: str) -> list[str]:
    """Return the command line of an ISINDEX query, or an empty list (RFC 3875 section 4.4).

    Only GET and HEAD, and only without an unencoded "=". If one word cannot be passed, none is: a
    bad escape, a NUL, or a hyphen in front, which an interpreter or a script would take for an
    option (S27).
    """
    if method not in ("GET", "HEAD") or not query or "=" in query:
        return []
    words: list[str] = []
    for part in query.split("+"):
        word = unescaped(part)
        if word is None or b"\0" in word or word.startswith(b"-"):
            return []
        words.append(os.fsdecode(word))
    return words
