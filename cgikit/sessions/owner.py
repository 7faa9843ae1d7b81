"""Whose a store is, in words, and what to do where it is another user's. Internal to the stores.

Advice is followed, so it must do no harm: nothing is given to root, and nothing is given away or closed
that does not look like a store. What is refused is decided by the stores.
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

    `paths` is all that would have to be given over; `is_store` tells whether that is a store, None if
    it cannot be seen.
    """
    me = os.geteuid()
    text = f"the {kind} belongs to {user(owner)}, but this runs as {user(me)}"
    if is_store is False:
        return f"{text}, and it does not look like a store of sessions; name a {kind} of its own"
    if me == 0:
        # Given to root, or used by root, it would be closed to the scripts of its user.
        return f"{text}; run this as that user: sudo -u {_in_shell(owner, chr(92) + '#')} COMMAND"
    from shlex import join

    return (
        f"{text}; run this as that user, or, if nothing but sessions is in it, let root give it over:"
        f" chown -hR {_in_shell(me)} {join(paths)}"
    )


def shared(path: str, *, is_store: bool | None) -> str:
    """Return why a directory that others can write to is refused, and what to do (str)."""
    if not is_store:
        return "other users can write in it; name a directory of its own"
    from shlex import quote

    return f"other users can write in it; close it: chmod go-w {quote(path)}"


def _in_shell(number: int, prefix: str = "") -> str:
    name = user(number)
    return f"{prefix}{number}" if " " in name else name
