"""The command line of a script: the arguments of an ISINDEX query (RFC 3875 section 4.4). Pure.

`cgikit.parameters` is the script's side, which may read them.
"""

import os

from .native import unescaped


def query_arguments(method: str, query: str) -> list[str]:
    """Return the command-line arguments of an ISINDEX query, or an empty list (RFC 3875 section 4.4).

    Only GET and HEAD have them, and only if the query has no unencoded "=". If one argument cannot be
    passed, none is: a bad escape, a NUL, or a leading hyphen, which an interpreter or a script would
    take for an option (S27).
    """
    if method not in ("GET", "HEAD") or not query or "=" in query:
        return []
    arguments: list[str] = []
    for word in query.split("+"):
        argument = unescaped(word)
        if argument is None or b"\0" in argument or argument.startswith(b"-"):
            return []
        arguments.append(os.fsdecode(argument))
    return arguments
