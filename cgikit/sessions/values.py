"""The mapping that a session is: names and JSON values, some with an end, some shown once.

Internal to `session.py`, which decides how its inside is read, locked and saved.
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
    """The values of a session. What it needs of the session are the first three methods."""

    _store: "Store"

    def _read(self) -> "Payload":
        """Return the inside, looked up at the first use."""
        raise NotImplementedError

    def _write(self) -> "Payload":
        """Return the inside to be changed; raise the error where it cannot be."""
        raise NotImplementedError

    def rotate(self) -> None:
        """Go on under a new id."""
        raise NotImplementedError

    def __getitem__(self, key: str) -> "Any":
        return self._read().data[key]

    def __setitem__(self, key: str, value: "Any") -> None:
        inside = self._write()
        if not isinstance(key, str):
            raise TypeError(f"the keys of a session are str, not {type(key).__name__}")
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
        """Store a value that is gone after `max_age` seconds. Storing it again otherwise keeps it."""
        if not 0 < max_age < float("inf"):
            raise ValueError(f"max_age is a number of seconds, not {max_age!r}")
        self[key] = value
        self._write().until[key] = self._store.clock() + max_age

    def clear(self) -> None:
        """Remove all values, and whose session it is: nothing is left then but the token for forms."""
        super().clear()
        if self._read().user:
            self.user = None

    def flash(self, key: str, value: "Any" = _MISSING) -> "Any":
        """Leave a value for the next time it is asked for: `flash(key, value)`. `flash(key)` returns
        it once, and None from then on.
        """
        if value is not _MISSING:
            self._write().flash[key] = value
            return None
        inside = self._read()
        if inside.retired is not None or key not in inside.flash:
            return None  # after a rotation it is shown under the new id, once
        return self._write().flash.pop(key)

    @property
    def user(self) -> str | None:
        """Whose session it is: a key (str) that the script gives, such as an account's number, or None.

        Setting another one rotates the session. All sessions with it end by `users.log_out`, all
        others with it by `log_out_others`.
        """
        return self._read().user or None

    @user.setter
    def user(self, value: str | None) -> None:
        if value is not None and not isinstance(value, str):
            raise TypeError(f"the user of a session is a str or None, not {type(value).__name__}")
        inside = self._write()
        if (value or "") == inside.user:
            return
        self.rotate()
        inside.user = inside.mark = ""
        if value:
            from .users import mark_of, renew

            mark = mark_of(self._store, value)
            inside.user, inside.mark = value, renew(self._store, value) if mark == "?" else mark
