"""The command line of a script: RFC 3875 section 4.4, the queries of ISINDEX. Pure.

The script's side, which may read it, is `cgikit.parameters`.
"""

import os
import re

_BAD_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")
_ESCAPE = re.compile(b"%([0-9A-Fa-f]{2})")


def query_words(method: str, query: str) -> list[str]:
    """Return the command line of an ISINDEX query, or an empty list (RFC 3875 section 4.4).

    Only GET and HEAD, and only without an unencoded "=". If one word cannot be passed, none is: a
    bad escape, a NUL, or a hyphen in front, which an interpreter or a script would take for an
    option (S27).
    """
    if method not in ("GET", "HEAD") or not query or "=" in query:
        return []
    if _BAD_ESCAPE.search(query):
        return []
    words = [_ESCAPE.sub(_byte, word.encode("latin-1")) for word in query.split("+")]
    if any(b"\0" in word or word.startswith(b"-") for word in words):
        return []
    return [os.fsdecode(word) for word in words]


def _byte(match: re.Match[bytes]) -> bytes:
    return bytes.fromhex(match[1].decode())
