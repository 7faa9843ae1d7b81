"""The secrets of a request, taken out of every text that the inspector shows. Pure.

Variables are shown by the allow-list of `maskedenviron`. A form is useless without its values, so only
the values of those fields are hidden whose names say that they are secrets (`masking.is_secret`).
Whatever was hidden is also hidden wherever else it is: in the raw streams, in an answer that repeats
it. Three kinds cannot be recognized: a secret in a field with a harmless name, one of fewer than four
characters outside of its field, and one that the script has encoded or computed.
"""

import re
from collections.abc import Iterable

from cgikit.characters import printable
from cgikit.host.environ import http_variables
from cgikit.knownsecrets import Known
from cgikit.maskedenviron import HIDDEN, masked
from cgikit.masking import is_secret

from .exchange import Exchange
from .maskedbody import Take, masked_body, masked_form

_WHOLE_VALUE = 6  # characters of a hidden variable that is also hidden elsewhere
_HARMLESS = re.compile(r"HTTP_REFERER|TZ|LANGUAGE|LC_[A-Z]+|PYTHON\w*|HOME|PWD|SHELL|USER|LOGNAME")
_LOCATIONS = (
    "REQUEST_URI",
    "SCRIPT_NAME",
    "PATH_INFO",
    "PATH_TRANSLATED",
    "SCRIPT_URI",
    "SCRIPT_URL",
)
_SET_COOKIE = re.compile(
    r'(?im)^(set-cookie[ \t]*:[ \t]*)([^=;\r\n]*=)?([ \t]*"(?:[^"\\\r\n]|\\.)*"[^;\r\n]*|[^;\r\n]*)'
)
_FIELD = re.compile(r"(?m)^([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,200})([ \t]*:[ \t]*)([^\r\n]+)")
_KIND = re.compile(r"(?im)^content-type[ \t]*:[ \t]*([^\r\n]*)")
#: Fields of an answer whose values are shown: RFC 9110, 9111, 3875, and what browsers act on.
_ANSWER_FIELDS = frozenset((
    "accept-ranges", "access-control-allow-credentials", "access-control-allow-headers",
    "access-control-allow-methods", "access-control-allow-origin", "access-control-max-age", "age",
    "allow", "alt-svc", "cache-control", "clear-site-data", "connection", "content-disposition",
    "content-encoding", "content-language", "content-length", "content-location", "content-range",
    "content-security-policy", "content-type", "cross-origin-embedder-policy",
    "cross-origin-opener-policy", "cross-origin-resource-policy", "date", "etag", "expires",
    "keep-alive", "last-modified", "link", "location", "permissions-policy", "pragma",
    "referrer-policy", "refresh", "retry-after", "server", "server-timing", "status",
    "strict-transport-security", "trailer", "transfer-encoding", "vary", "via", "warning",
    "www-authenticate", "x-accel-buffering", "x-content-type-options", "x-frame-options",
    "x-powered-by", "x-robots-tag", "x-ua-compatible", "x-xss-protection",
))  # fmt: skip
_CREDENTIALS = ("authorization", "proxy-authorization", "cookie")
_PASSED = ("HTTP_AUTHORIZATION", "HTTP_PROXY_AUTHORIZATION")
_URL_FIELDS = ("referer", "origin", "host", "location", "refresh", "content-location", "link")
_USERINFO = re.compile(r"(?i)((?:^|[a-z]:)//|^(?=[^/?]*@))([^/?#\s\"']*)@")
_UNKNOWN = 8  # characters of an unknown field of an answer that may be a secret
_QUERIES = ("HTTP_COOKIE", "QUERY_STRING")
_PAGE = "text/html"
_PARAMETER = re.compile(r";([^=;/?#]{1,200})=([^;/?#\s]+)")


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
            plain = shown[name] == HIDDEN and name not in (*_QUERIES, *_LOCATIONS)
            if plain and len(value) >= _WHOLE_VALUE and not _HARMLESS.fullmatch(name):
                self._take(value)
        self._known.take_fields(fields)
        masked_target(request.target, self._take)
        for name, value in request.headers:
            if name.lower() in _URL_FIELDS:
                masked_target(value, self._take)
        for run in exchange.runs:
            masked_body(_text(run.stdin.kept), request.content_type, self._take)
            head, _, rest = _split(_text(run.stdout.kept))
            masked_head(head, self._take)
            masked_body(rest, _kind(head), self._take)

    def _take(self, value: str) -> None:
        self._known.take_fields([("secret", value)])

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
        if name.lower() in _URL_FIELDS:
            return self.target(value)
        key = "HTTP_" + name.upper().replace("-", "_")
        return self.text(masked({key: value})[key])

    def answer_header(self, name: str, value: str) -> str:
        """Return the value of a header field of an answer as it may be shown."""
        return self.text(masked_head(f"{name}: {value}")[len(name) + 2 :])

    def target(self, target: str) -> str:
        """Return a path with its query as it may be shown."""
        return self.text(masked_target(target))

    def environment(self, environment: dict[str, str]) -> dict[str, str]:
        """Return variables as they may be shown: all names, and the values of the allow-list."""
        shown = masked(environment)
        for name in shown:
            if name in _LOCATIONS:
                shown[name] = self.target(environment[name])
            elif name == "QUERY_STRING":
                shown[name] = masked_form(environment[name])
        return {name: self.text(value) for name, value in shown.items()}

    def body(self, body: bytes, kind: str) -> str:
        """Return the body of a request as it may be shown."""
        return printable(self.text(masked_body(_text(body), kind)), keep="\t\n")

    def data(self, body: bytes, kind: str) -> bytes:
        """Return the bytes of a body without the secrets, for a command or a test."""
        text = masked_body(body.decode("utf-8", "surrogateescape"), kind)
        return self.text(text).encode("utf-8", "surrogateescape")

    def output(self, output: bytes) -> str:
        """Return the output of a script as it may be shown."""
        head, blank, rest = _split(_text(output))
        shown = masked_head(head) + blank + masked_body(rest, _kind(head)) if blank else head
        return printable(self.text(shown if blank else without_cookies(head)), keep="\t\n")


def masked_target(target: str, take: Take = len) -> str:
    """Return a URL, or a path with its query, without the user and password in it, and without the
    values of the parameters (`;jsessionid=…`) and fields whose names suggest secrets. `take` is called
    with each of them.
    """
    path, mark, query = target.partition("?")

    def user(match: re.Match[str]) -> str:
        for part in (match[2], match[2].partition(":")[2]):
            take(part)
        return f"{match[1]}{HIDDEN}@"

    def parameter(match: re.Match[str]) -> str:
        if not is_secret(match[1]):
            return match[0]
        take(match[2])
        return f";{match[1]}={HIDDEN}"

    return _PARAMETER.sub(parameter, _USERINFO.sub(user, path)) + mark + masked_form(query, take)


def masked_head(head: str, take: Take = len) -> str:
    """Return the header block of an answer as it may be shown: the values of the usual fields, and
    those of others that are too short for a secret; cookies without theirs. `take` is called with the
    values of cookies, and of fields whose names suggest secrets.
    """

    def field(match: re.Match[str]) -> str:
        name = match[1].lower()
        if name == "set-cookie":
            return match[0]
        if name not in _ANSWER_FIELDS and (is_secret(name) or len(match[3]) >= _UNKNOWN):
            if is_secret(name):
                take(match[3])
            return match[1] + match[2] + HIDDEN
        value = masked_target(match[3], take) if name in _URL_FIELDS else match[3]
        return match[1] + match[2] + value

    return without_cookies(_FIELD.sub(field, head), take)


def without_cookies(head: str, take: Take = len) -> str:
    """Return header lines without the values of the cookies that they set; `take` gets these."""

    def cookie(match: re.Match[str]) -> str:
        value = match[3].strip()
        if len(value) >= _WHOLE_VALUE:
            take(value.strip('"'))
        return match[1] + (match[2] or "") + (HIDDEN if match[3] else "")

    return _SET_COOKIE.sub(cookie, head)


def _kind(head: str) -> str:
    found = _KIND.search(head)
    # As a script's page may have anything in it, only what is data is searched for names
    return found[1] if found and ("json" in found[1].lower() or "urlencoded" in found[1]) else _PAGE


def _split(text: str) -> tuple[str, str, str]:
    match = re.search(r"\r?\n\r?\n", text)
    return (text[: match.start()], match[0], text[match.end() :]) if match else (text, "", "")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")
