"""The cookies that a client keeps, for the one host that it asks (RFC 6265bis section 5).

What a browser would drop is dropped: another host's Domain, Secure over http, a prefix whose rules are
not kept, SameSite=None without Secure, more than 4,096 bytes. What it would not send is not sent: a
cookie of another path, one that has ended, Secure over http. SameSite and HttpOnly change nothing else
here, since all requests are the site's own.
"""

import time
from collections.abc import Iterator, MutableMapping

from ..cookies import build, parse
from ..dates import parse_http_date

_MAX_DIGITS = 12  # of a Max-Age
_MOST = 4_096  # bytes of name and value together


class _Cookie:
    """One cookie as it is kept. `ends` is in seconds since the epoch, None for no end."""

    __slots__ = ("domain", "ends", "name", "pair", "path", "secure")

    def __init__(self, name: str, pair: str) -> None:
        self.name = name
        self.pair = pair  # as it is sent
        self.domain = ""  # of a cookie for sub-domains as well
        self.path = "/"
        self.secure = False
        self.ends: float | None = None

    @property
    def place(self) -> tuple[str, str, str]:
        """What distinguishes it from other cookies."""
        return self.name, self.domain, self.path

    def has_ended(self) -> bool:
        """Whether it has expired."""
        return self.ends is not None and self.ends <= time.time()


class Cookies(MutableMapping[str, str]):
    """The cookies of a `Client`, by name: values are decoded when read and encoded when set.

    A cookie that a test sets is for the whole site and lasts as long as the client. `[name]` reads the
    one that a browser would send first, `del` removes all of that name.
    """

    def __init__(self) -> None:
        self._kept: list[_Cookie] = []

    def __repr__(self) -> str:
        return f"Cookies({dict(self)!r})"

    def __getitem__(self, name: str) -> str:
        for cookie in self._living():
            if cookie.name == name:
                return parse(cookie.pair)[name]
        raise KeyError(name)

    def __setitem__(self, name: str, value: str) -> None:
        self._keep(_Cookie(name, build(name, value).partition(";")[0]))

    def __delitem__(self, name: str) -> None:
        if name not in self:
            raise KeyError(name)
        self._kept = [cookie for cookie in self._kept if cookie.name != name]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(cookie.name for cookie in self._living()))

    def __len__(self) -> int:
        return len({cookie.name for cookie in self._living()})

    def clear(self) -> None:
        """Remove all cookies: the client is now another visitor."""
        self._kept = []

    def header(self, path: str, secure: bool) -> str:
        """Return the Cookie field for a request (str), or "" if there is none. `path` is encoded."""
        return "; ".join(
            cookie.pair
            for cookie in self._living()
            if _matches(path, cookie.path) and (secure or not cookie.secure)
        )

    def take(self, field: str, host: str, path: str, secure: bool) -> None:
        """Store the cookie in a Set-Cookie field of an answer, or remove it if it has expired."""
        pair, *attributes = field.split(";")
        name, equals, value = pair.partition("=")
        name = name.strip(" \t")
        if not equals or not name:
            return
        cookie = _Cookie(name, name + "=" + value.strip(" \t"))
        cookie.path = _default_path(path)
        given = {}
        for attribute in attributes:
            key, _, text = attribute.partition("=")
            given[key.strip().lower()] = text.strip()
        if given.get("path", "").startswith("/"):
            cookie.path = given["path"]
        cookie.domain = given.get("domain", "").lower().removeprefix(".")
        cookie.secure = "secure" in given
        cookie.ends = _end(given)
        if given.get("samesite", "").lower() == "none" and not cookie.secure:
            return
        if name.lower().startswith("__host-") and given.get("path") != "/":
            return
        if len(cookie.pair) - 1 <= _MOST and _is_taken(cookie, host, secure):
            self._keep(cookie)

    def _keep(self, cookie: _Cookie) -> None:
        for at, kept in enumerate(self._kept):
            if kept.place == cookie.place:
                self._kept[at] = cookie  # where it was: the older one is sent first
                return
        self._kept.append(cookie)

    def _living(self) -> list[_Cookie]:
        """Those that have not ended, in the order in which they are sent: the longer path first."""
        self._kept = [cookie for cookie in self._kept if not cookie.has_ended()]
        return sorted(self._kept, key=lambda cookie: -len(cookie.path))


def _end(said: dict[str, str]) -> float | None:
    """Return when a cookie ends; Max-Age counts before Expires."""
    age = said.get("max-age", "")
    digits = age.removeprefix("-")
    if digits.isascii() and digits.isdigit():
        if age.startswith("-") or not digits.strip("0"):
            return 0
        return time.time() + int(digits[:_MAX_DIGITS])
    if "expires" in said:
        return parse_http_date(said["expires"])
    return None


def _is_taken(cookie: _Cookie, host: str, secure: bool) -> bool:
    """Whether a browser would keep it (RFC 6265bis section 5.7)."""
    if cookie.domain and host != cookie.domain:
        # Of an address no part is a domain, and for a name of one label no browser takes others
        is_name = not host.rpartition(".")[2].isdigit() and "." in cookie.domain
        if not is_name or not host.endswith("." + cookie.domain):
            return False
    if cookie.secure and not secure:
        return False
    lowered = cookie.name.lower()
    if lowered.startswith(("__secure-", "__host-")) and not cookie.secure:
        return False
    return not lowered.startswith("__host-") or not cookie.domain


def _matches(path: str, pattern: str) -> bool:
    """Whether a cookie's path goes with that of a request (RFC 6265bis section 5.1.4)."""
    if path == pattern:
        return True
    return path.startswith(pattern) and (pattern.endswith("/") or path[len(pattern)] == "/")


def _default_path(path: str) -> str:
    """Return the path of a cookie that names none: the directory of the request's."""
    directory = path.rpartition("/")[0]
    return directory if directory.startswith("/") else "/"
