"""Internal. The secrets that the page of an error knows: the values of form fields, cookies and
variables whose names say that they are secrets, wherever they are in the frames of the error.

They are taken out of every text on the page, because an object can show anything in its repr.
"""

import os
from functools import partial
from types import BuiltinMethodType, MethodType, ModuleType

from .debugframes import related
from .maskedenviron import HIDDEN
from .masking import (
    fields_of,
    is_cookies,
    is_form,
    is_mapping,
    is_pair,
    is_secret,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MIN_SECRET = 4  # characters of a value that is taken out of texts: others stand in any text
_MIN_COOKIE = 6  # most cookies hold no secret
_MAX_SECRETS = 1_000  # secrets
_MAX_VALUES = 20_000  # that are looked at
_MAX_FRAMES = 100
_DEPTH = 4
_FOLDERS = ("PWD", "OLDPWD")


class Known:
    """The secrets of an error, which begins with those of the request."""

    def __init__(self) -> None:
        self._found: set[str] = set()
        self._left = _MAX_VALUES
        self._seen: dict[int, object] = {}

    def take_request(self, environ: "Any" = None) -> None:
        """Take the secrets of a request from its environment, that of the process without one."""
        environ = os.environ if environ is None else environ
        for name, value in environ.items():
            if is_secret(name) and name not in _FOLDERS:
                self._add(value)
        for cookie in environ.get("HTTP_COOKIE", "").split(";")[:_MAX_SECRETS]:
            self._add(cookie.partition("=")[2].strip().strip('"'), _MIN_COOKIE)
        for name in ("HTTP_AUTHORIZATION", "REDIRECT_HTTP_AUTHORIZATION"):
            self._take_credentials(environ.get(name, ""))
        for name in ("QUERY_STRING", "REDIRECT_QUERY_STRING"):
            for field in environ.get(name, "").split("&")[:_MAX_SECRETS]:
                key, _, value = field.partition("=")
                if is_secret(key):
                    self._add(value)
                    self._add(_decoded(value))

    def take_fields(self, fields: "Any") -> None:
        """Take the values of fields, (name, value) pairs, whose names say that they are secrets."""
        for name, value in [*fields][:_MAX_SECRETS]:
            if is_secret(name):
                self._add(value)

    def _take_credentials(self, value: str) -> None:
        """Take what an Authorization field has, and what a script gets from it."""
        from .authorization import parse

        self._add(value.partition(" ")[2])
        try:
            found = parse(value)
        except ValueError:
            return
        for one in (found.password, found.token, found.params.get("response")):
            self._add(one)

    def take_error(self, error: BaseException) -> None:
        """Take the secrets that are in the frames of an error, and of those that it came from."""
        for _, one in [("", error), *related(error)]:
            self.take_frames(one.__traceback__)

    def take_frames(self, traceback: "Any") -> None:
        """Take the secrets that are in the variables of the frames."""
        modules: set[int] = set()
        frames = []
        while traceback is not None:
            frames.append(traceback.tb_frame)
            traceback = traceback.tb_next
        for frame in frames[-_MAX_FRAMES:]:
            self._take(frame.f_locals, _DEPTH)
            if id(frame.f_globals) not in modules and len(modules) < _MAX_FRAMES:
                modules.add(id(frame.f_globals))
                self._take(frame.f_globals, _DEPTH)

    def hide(self, text: str) -> str:
        """Return a text without the secrets."""
        for secret in sorted(self._found, key=len, reverse=True):
            if secret in text:
                text = text.replace(secret, HIDDEN)
        return text

    def _take(self, value: "Any", depth: int, secret: bool = False) -> None:
        if isinstance(value, str | bytes):
            if secret:
                self._add(value)
            return
        if depth < 0 or self._left < 0 or value is None or isinstance(value, int | float | type):
            return
        self._left -= 1
        if not secret:
            if id(value) in self._seen:
                return
            self._seen[id(value)] = value  # kept, so that no other gets its number
        try:
            self._take_inside(value, depth - 1, secret)
        except Exception:  # of what a script made: it may do anything when it is read
            return

    def _take_inside(self, value: "Any", depth: int, secret: bool) -> None:
        if is_cookies(value):
            many = isinstance(value, dict) and not hasattr(value, "coded_value")
            for morsel in [*(value.values() if many else ()), value]:
                self._add(getattr(morsel, "value", ""))
                self._add(getattr(morsel, "coded_value", ""))
        elif is_form(value) or type(value).__name__ == "MiniFieldStorage":
            for item in (*(getattr(value, "list", None) or ()), value):
                if is_secret(str(item.name)) and not getattr(item, "filename", None):
                    self._take(item.value, depth, True)
        elif is_mapping(value):
            self._take_items(value, depth, secret)
        elif is_pair(value):
            self._take(value[1], depth, True)
        else:
            self._take_content(value, depth, secret)

    def _take_items(self, value: "Any", depth: int, secret: bool) -> None:
        for key, inner in [*value.items()]:
            named = isinstance(key, str | bytes) and is_secret(str(key)) and key not in _FOLDERS
            self._take(inner, depth, secret or bool(named))

    def _take_content(self, value: "Any", depth: int, secret: bool) -> None:
        if isinstance(value, list | tuple | set | frozenset):
            for inner in [*value][:_MAX_SECRETS]:
                self._take(inner, depth, secret)
            if isinstance(value, tuple):
                self._take(fields_of(value), depth, secret)
        elif isinstance(value, partial):
            self._take([value.func, value.args, value.keywords], depth, secret)
        elif isinstance(value, MethodType | BuiltinMethodType):
            self._take(value.__self__, depth, secret)
        elif type(getattr(value, "__dict__", None)) is dict and not isinstance(value, ModuleType):
            self._take(vars(value), depth)  # of a session, not all is secret

    def _add(self, value: "Any", shortest: int = _MIN_SECRET) -> None:
        text = value.decode("latin-1") if isinstance(value, bytes) else value
        if not isinstance(text, str) or len(text) < shortest or len(self._found) > _MAX_SECRETS:
            return
        if text.strip("_-").isalpha() and is_secret(text) and len(text) < 2 * len("password"):
            return  # the name of a field, such as "password"
        self._found |= {text, repr(text)[1:-1], repr(text.encode("utf-8", "replace"))[2:-1]}


def _decoded(value: str) -> str:
    from urllib.parse import unquote_plus

    return unquote_plus(value)


def of_error(error: "Any", traceback: "Any") -> Known:
    """Return the secrets of this process's request, which ended with an error: `sys.exc_info()[1:]`."""
    known = Known()
    known.take_request()
    if isinstance(error, BaseException):
        known.take_error(error)
    known.take_frames(traceback)  # which a caller may have chosen
    return known
