"""Who owns a store, in words, and what to do if it is another user. Internal to the stores.

People follow advice, so it must do no harm: nothing is given to root, and nothing that does not look
like a store gets another owner or mode. The stores decide what is refused.
"""

import os


def user(number: int) -> str:
    """Return a user's name (str), or "user 1234" for one that has none."""
    from pwd import getpwuid

    try:
        return getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"


def stranger(kind: str, owner: int, paths: "list[str]", *, is_store: bool | None) -> str:
    """Return why a directory or file (`kind`) of the user `owner` is refused, and what to do (str).

    `paths` are those whose owner would have to change; `is_store` tells whether they are a store, None
    if that is unknown.
    """
    me = os.geteuid()
    text = f"the {kind} belongs to {user(owner)}, but this runs as {user(me)}"
    if is_store is False:
        return f"{text}, and it does not look like a store of sessions; use a {kind} of its own"
    if me == 0:
        # If root owned or used it, the scripts of its user could not open it any more.
        return f"{text}; run this as that user: sudo -u {_in_shell(owner, chr(92) + '#')} COMMAND"
    from shlex import join

    return (
        f"{text}; run this as that user, or, if it holds only sessions, have root change its owner:"
        f" chown -hR {_in_shell(me)} {join(paths)}"
    )


def shared(path: str, *, is_store: bool | None) -> str:
    """Return why a directory that other users can write to is refused, and what to do (str)."""
    if not is_store:
        return "other users can write to it; use a directory of its own"
    from shlex import quote

    return f"other users can write to it; close it: chmod go-w {quote(path)}"


def _in_shell(number: int, prefix: str = "") -> str:
    name = user(number)
    return f"{prefix}{number}" if " " in name else name
