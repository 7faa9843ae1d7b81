"""The secrets of a request, taken out of every text that the inspector shows. Pure.

Variables are shown by the allow-list of `maskedenviron`. A form is useless without its values, so only
the values of those fields are hidden whose names say that they are secrets (`masking.is_secret`).
Whatever was hidden is also hidden wherever else it is: in the raw streams, in an answer that repeats
it. Three kinds cannot be recognized: a secret in a field with a harmless name, one of fewer than four
characters outside of its field, and one that the script has encoded or computed.
"""

import json
import os
import re
from collections.abc import Iterable

from cgikit.characters import printable
from cgikit.host.environ import http_variables
from cgikit.knownsecrets import Known
from cgikit.maskedenviron import HIDDEN, masked
from cgikit.masking import is_secret
from cgikit.querystring import unquote

from .exchange import Exchange
from .maskedbody import masked_body

URLENCODED = "application/x-www-form-urlencoded"
_WHOLE_VALUE = 6  # characters of a hidden variable that is also hidden elsewhere
_HARMLESS = re.compile(r"HTTP_REFERER|TZ|LANGUAGE|LC_[A-Z]+|PYTHON\w*|HOME|PWD|SHELL|USER|LOGNAME")
_LOCATIONS = ("QUERY_STRING", "REQUEST_URI")
_SET_COOKIE = re.compile(r"(?im)^(set-cookie[ \t]*:[ \t]*)([^=;\r\n]*=)?([^;\r\n]*)")
_CREDENTIALS = ("authorization", "proxy-authorization", "cookie")
_PASSED = ("HTTP_AUTHORIZATION", "HTTP_PROXY_AUTHORIZATION")
_DEPTH = 20


class Hiding:
    """What must not be seen of a request. `fields` are the pairs of its query and its form."""

    def __init__(self, exchange: Exchange, fields: Iterable[tuple[str, str]] = ()) -> None:
        self._known = Known()
        request = exchange.request
        environ = {
            **http_variables(request.headers, _PASSED),
            "QUERY_STRING": request.query,
        }
        for run in exchange.runs:
            environ |= run.environment
        self._known.take_request(environ)
        shown = masked(environ)
        for name, value in environ.items():
            plain = shown[name] == HIDDEN and name not in ("HTTP_COOKIE", *_LOCATIONS)
            if plain and len(value) >= _WHOLE_VALUE and not _HARMLESS.fullmatch(name):
                self._take(value)
        self._known.take_fields(fields)
        for run in exchange.runs:
            self._take_stdin(run.stdin.kept, request.content_type)
            for match in _SET_COOKIE.finditer(_text(run.stdout.kept)):
                if len(match[3].strip()) >= _WHOLE_VALUE:
                    self._take(match[3].strip().strip('"'))

    def _take(self, value: str) -> None:
        self._known.take_fields([("secret", value)])

    def _take_stdin(self, body: bytes, kind: str) -> None:
        if kind.partition(";")[0].strip().lower() == URLENCODED:
            for field in _text(body).split("&"):
                name, _, value = field.partition("=")
                if is_secret(_decoded(name)):
                    self._take(value)
            return
        masked_body(_text(body), kind, self._take)
        if "json" in kind.lower():
            try:
                self._take_json(json.loads(body), _DEPTH)
            except (ValueError, RecursionError):  # it is not JSON, or it was cut
                return

    def _take_json(self, value: object, depth: int, secret: bool = False) -> None:
        if depth < 0:
            return
        if isinstance(value, dict):
            for name, inner in value.items():
                self._take_json(inner, depth - 1, secret or is_secret(name))
        elif isinstance(value, list):
            for inner in value:
                self._take_json(inner, depth - 1, secret)
        elif secret and isinstance(value, str | int | float):
            self._take(str(value))

    def text(self, text: str) -> str:
        """Return a text without the secrets."""
        return self._known.hide(text)

    def value(self, name: str, value: str) -> str:
        """Return the value of a field, `HIDDEN` if its name says that it is a secret."""
        return HIDDEN if value and is_secret(name) else self.text(value)

    def header(self, name: str, value: str) -> str:
        """Return the value of a header field of a request as it may be shown."""
        if name.lower() in _CREDENTIALS:
            return HIDDEN
        key = "HTTP_" + name.upper().replace("-", "_")
        if key == "HTTP_REFERER":
            return self.target(value)
        return self.text(masked({key: value})[key])

    def answer_header(self, name: str, value: str) -> str:
        """Return the value of a header field of an answer as it may be shown."""
        if name.lower() == "set-cookie":
            return without_cookies(f"{name}: {value}")[len(name) + 2 :]
        if name.lower() in ("location", "refresh"):
            return self.target(value)
        return HIDDEN if is_secret(name) else self.text(value)

    def target(self, target: str) -> str:
        """Return a path with its query as it may be shown."""
        return self.text(masked_target(target))

    def environment(self, environment: dict[str, str]) -> dict[str, str]:
        """Return variables as they may be shown: all names, and the values of the allow-list."""
        shown = masked(environment)
        for name in _LOCATIONS:
            if name in shown:
                value = environment[name]
                query = name == "QUERY_STRING"
                shown[name] = masked_form(value) if query else self.target(value)
        return {name: self.text(value) for name, value in shown.items()}

    def body(self, body: bytes, kind: str) -> str:
        """Return the body of a request as it may be shown."""
        text = _masked(_text(body), kind)
        return printable(self.text(text), keep="\t\n")

    def data(self, body: bytes, kind: str) -> bytes:
        """Return the bytes of a body without the secrets, for a command or a test."""
        text = _masked(body.decode("utf-8", "surrogateescape"), kind)
        return self.text(text).encode("utf-8", "surrogateescape")

    def output(self, output: bytes) -> str:
        """Return the output of a script as it may be shown."""
        head, blank, rest = _split(_text(output))
        return printable(self.text(without_cookies(head) + blank + rest), keep="\t\n")


def _masked(body: str, kind: str) -> str:
    is_form = kind.partition(";")[0].strip().lower() == URLENCODED
    return masked_form(body) if is_form else masked_body(body, kind)


def masked_target(target: str) -> str:
    """Return a path with its query without the values of the fields whose names suggest secrets."""
    path, mark, query = target.partition("?")
    return path + mark + masked_form(query)


def masked_form(text: str) -> str:
    """Return an urlencoded text without the values of the fields whose names suggest secrets."""
    return "".join(
        f"{name}={HIDDEN}" if value and is_secret(_decoded(name)) else name + equals + value
        # Old programs separate the fields by semicolons; which of the two it is, cannot be told
        for name, equals, value in (field.partition("=") for field in re.split("([&;])", text))
    )


def without_cookies(head: str) -> str:
    """Return header lines without the values of the cookies that they set."""
    return _SET_COOKIE.sub(
        lambda match: match[1] + (match[2] or "") + (HIDDEN if match[3] else ""), head
    )


def _split(text: str) -> tuple[str, str, str]:
    match = re.search(r"\r?\n\r?\n", text)
    return (text[: match.start()], match[0], text[match.end() :]) if match else (text, "", "")


def _decoded(name: str) -> str:
    return unquote(os.fsencode(name).replace(b"+", b" ")).decode("utf-8", "replace")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")
