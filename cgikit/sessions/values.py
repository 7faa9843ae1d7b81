"""The mapping side of a session: names and JSON values; some expire, some are shown once.

Internal to `session.py`, which decides how the content is read, locked and saved.
"""

from _collections_abc import MutableMapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .payload import Payload
    from .store import Store

_MISSING = object()


class Values(MutableMapping[str, "Any"]):
    """The values of a session. The first three methods are what it needs from `Session`."""

    _store: "Store"

    def _read(self) -> "Payload":
        """Return the content, which is looked up at the first use."""
        raise NotImplementedError

    def _write(self) -> "Payload":
        """Return the content, to be changed; raise the error if it cannot be."""
        raise NotImplementedError

    def rotate(self) -> None:
        """Continue under a new id."""
        raise NotImplementedError

    def __getitem__(self, key: str) -> "Any":
        return self._read().data[key]

    def __setitem__(self, key: str, value: "Any") -> None:
        inside = self._write()
        if not isinstance(key, str):
            raise TypeError(f"the keys of a session must be str, not {type(key).__name__}")
        inside.until.pop(key, None)
        inside.data[key] = value

    def __delitem__(self, key: str) -> None:
        inside = self._write()
        del inside.data[key]
        inside.until.pop(key, None)

    def __iter__(self) -> "Iterator[str]":
        return iter(self._read().data)

    def __len__(self) -> int:
        return len(self._read().data)

    def set(self, key: str, value: "Any", max_age: float) -> None:
        """Store a value that expires after `max_age` seconds. Assigning it again makes it permanent."""
        if not 0 < max_age < float("inf"):
            raise ValueError(
                f"max_age={max_age!r} is not valid; give a number of seconds, more than 0"
            )
        self[key] = value
        self._write().until[key] = self._store.clock() + max_age

    def clear(self) -> None:
        """Remove all values, and the user: nothing is left but the token for forms."""
        super().clear()
        if self._read().user:
            self.user = None

    def flash(self, key: str, value: "Any" = _MISSING) -> "Any":
        """Store a value that is shown once: `flash(key, value)` stores it, `flash(key)` returns it, and
        None from then on.
        """
        if value is not _MISSING:
            self._write().flash[key] = value
            return None
        inside = self._read()
        if inside.retired is not None or key not in inside.flash:
            return None  # after a rotation it is shown only under the new id
        return self._write().flash.pop(key)

    @property
    def user(self) -> str | None:
        """The user of this session: a key (str) that the script chooses, such as an account number, or
        None.

        Setting another user rotates the session. `users.log_out` ends all sessions of a user,
        `log_out_others` all but this one.
        """
        return self._read().user or None

    @user.setter
    def user(self, value: str | None) -> None:
        if value is not None and not isinstance(value, str):
            raise TypeError(
                f"the user of a session must be a str or None, not {type(value).__name__}"
            )
        inside = self._write()
        if (value or "") == inside.user:
            return
        self.rotate()
        inside.user = inside.mark = ""
        if value:
            from .users import mark_of, renew

            mark = mark_of(self._store, value)
            inside.user, inside.mark = value, renew(self._store, value) if mark == "?" else mark
