"""A visitor with a browser's habits: keeps cookies, follows redirects, fills in forms that were found.

What came is remembered as a person sees it, in words that are the same for both versions of a script.
"""

import http.client
import re
import uuid
from dataclasses import dataclass, field, replace
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode, urljoin, urlsplit

from servers.server import Server

from .page import Field, Form, Page
from .served import PLACES

#: The hidden field with the token of a session, which no script in Perl has.
TOKEN = "csrf"

#: A time as the scripts write it: the two versions are not visited at the same moment.
TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d")

REDIRECTS = {301, 302, 303, 307, 308}
MOST_REDIRECTS = 3

Parts = dict[str, object]
Values = list[tuple[str, str]]


@dataclass(frozen=True)
class Answer:
    """A response, whole."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


@dataclass
class Visitor:
    """Somebody who visits one script, in one version."""

    server: Server
    name: str
    place: str  # the directory of the version: see served.py
    seen: dict[str, Parts] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)
    page: Page = field(default_factory=lambda: Page(""))
    url: str = ""

    @property
    def ending(self) -> str:
        """Of the script's name."""
        return PLACES[self.place]

    @property
    def directory(self) -> Path:
        """Where the script is, and its data."""
        return self.server.directory / self.place

    @property
    def data(self) -> Path:
        """What the script keeps."""
        return self.directory / "data"

    @property
    def script(self) -> str:
        """The URL of the script."""
        return self.server.url(f"{self.place}/{self.name}.{self.ending}")

    def another(self) -> "Visitor":
        """Somebody else, whose steps are remembered with these."""
        return Visitor(self.server, self.name, self.place, self.seen)

    def look(self, step: str, query: str = "") -> None:
        """Go to the script."""
        self._visit(step, "GET", self.script + query, b"", {})

    def follow(self, step: str, number: int) -> None:
        """Follow a link of the page."""
        self._visit(step, "GET", urljoin(self.url, self.page.links[number]), b"", {})

    def send(
        self,
        step: str,
        form: int = 0,
        button: str = "",
        files: dict[str, tuple[str, str, bytes]] | None = None,
        **values: str | list[str],
    ) -> None:
        """Fill in a form of the page and press its button, or the one that says `button`.

        `files` are a name, a type and the content, by field.
        """
        found = self.page.forms[form]
        pairs = filled(found, button, values)
        target = urljoin(self.url, found.action) if found.action else self.url
        if found.method.lower() == "get":
            self._visit(step, "GET", f"{target.partition('?')[0]}?{urlencode(pairs)}", b"", {})
            return
        if found.multipart:
            body, kind = multipart(found, pairs, files or {})
        else:
            assert not files
            body, kind = urlencode(pairs).encode(), "application/x-www-form-urlencoded"
        self._visit(step, "POST", target, body, {"Content-Type": kind})

    def post(self, step: str, **values: str) -> None:
        """Send what no form of the page would send; the token of its first form with it."""
        pairs = [*values.items(), *tokens(self.page.forms[:1])]
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        self._visit(step, "POST", self.script, urlencode(pairs).encode(), kind)

    def note(self, step: str, what: object) -> None:
        """Remember something else: what was stored, or sent by mail."""
        assert step not in self.seen, f"two steps are called {step!r}"
        self.seen[step] = {"is": what}

    def ask(self, method: str, url: str, body: bytes, fields: dict[str, str]) -> Answer:
        """Send a request, and keep the cookies of the answer."""
        parts = urlsplit(url)
        assert parts.hostname
        assert url.startswith(self.server.base_url), f"{url} is on another site"
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        fields = {**fields, "Connection": "close"}
        if self.cookies:
            fields["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        try:
            connection.request(method, target, body or None, fields)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def _visit(self, step: str, method: str, url: str, body: bytes, fields: dict[str, str]) -> None:
        assert step not in self.seen, f"two steps are called {step!r}"
        parts: Parts = {"method": method, "cookies": {}, "redirects": []}
        for _ in range(MOST_REDIRECTS):
            answer = self.ask(method, url, body, fields)
            self._keep(answer, parts)
            if answer.status not in REDIRECTS:
                break
            url = urljoin(url, answer.headers["Location"])
            parts["redirects"] = [*parts["redirects"], self.plain(url)]  # type: ignore[misc]
            method, body, fields = "GET", b"", {}
        self.url = url
        self.seen[step] = {**parts, **self._content(answer)}

    def _content(self, answer: Answer) -> Parts:
        kind = answer.headers.get_content_type()
        parts: Parts = {"status": answer.status, "type": kind}
        if answer.status >= 400:  # each has words of its own
            return parts
        if kind != "text/html":
            return {**parts, "body": answer.body}
        self.page = Page(answer.text)
        return {
            **parts,
            "title": self.page.title,
            "lines": [TIME.sub("TIME", line) for line in self.page.lines],
            "links": [self.plain(urljoin(self.url, link)) for link in self.page.links],
            "forms": [self._form(form) for form in self.page.forms],
        }

    def _form(self, form: Form) -> Parts:
        action = urljoin(self.url, form.action) if form.action else self.url
        holds_a_file = any(each.kind == "file" for each in form.fields)
        assert form.multipart or not holds_a_file, "a file would not be sent"
        return {
            "method": form.method.lower(),
            "action": self.plain(action.partition("?")[0]),
            "fields": [shown(each) for each in form.fields if not is_hidden(each)],
        }

    def _keep(self, answer: Answer, parts: Parts) -> None:
        """Keep the cookies. The name of a session's, and when it is sent, is up to the library."""
        for line in answer.headers.get_all("Set-Cookie") or ():
            for name, morsel in SimpleCookie(line).items():
                gone = morsel["max-age"] == "0"
                if gone:
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value
                assert morsel["path"] == "/", line
                if not name.startswith(("session-", "CGISESSID")):
                    stays = bool(morsel["expires"] or morsel["max-age"])
                    parts["cookies"] = {name: (morsel.value, stays, gone)}

    def plain(self, url: str) -> str:
        """A URL without what differs from one version or one server to another."""
        base = self.server.url(self.place + "/")
        return url.replace(base, "").replace(f"{self.name}.{self.ending}", self.name)


def is_hidden(one: Field) -> bool:
    """Whether a field is no part of what a form means: a token, or CGI.pm's `.cgifields`."""
    return one.name == TOKEN or (one.name.startswith(".") and one.kind == "hidden")


def shown(one: Field) -> Field:
    """A field without the name that CGI.pm gives to buttons that need none."""
    return replace(one, name="") if one.name == ".submit" else one


def tokens(forms: list[Form]) -> Values:
    """The tokens of forms."""
    fields = [each for form in forms for each in form.fields if each.name == TOKEN]
    return [(each.name, each.value or "") for each in fields]


def filled(form: Form, button: str, values: dict[str, str | list[str]]) -> Values:
    """What a form sends when it was filled in with `values`, all of which it must have."""
    names = {each.name for each in form.fields}
    assert set(values) <= names, f"the form has {sorted(names)}"
    pairs: Values = []
    pressed = False
    for each in form.fields:
        if each.kind == "button":
            if not pressed and button in {"", each.value}:
                pressed = True
                pairs += [(each.name, each.value or "")] if each.name else []
        elif each.name not in values:
            pairs += [(each.name, each.value)] if each.value is not None else []
        elif each.offers:
            given = values[each.name]
            wanted = given if isinstance(given, list) else [given]
            offered = [value for value, _ in each.offers if value in wanted]
            pairs += [(each.name, value) for value in offered]
        else:
            pairs.append((each.name, str(values[each.name]).replace("\n", "\r\n")))
    assert pressed, f"the form has no button {button!r}"
    return pairs


def multipart(
    form: Form, pairs: Values, files: dict[str, tuple[str, str, bytes]]
) -> tuple[bytes, str]:
    """The body of a form as multipart/form-data, and its type."""
    boundary = uuid.uuid4().hex
    kinds = {each.name: each.kind for each in form.fields}
    assert all(kinds.get(name) == "file" for name in files)
    body = b""
    for name, value in pairs:
        head, content = f'form-data; name="{name}"', value.encode()
        if kinds.get(name) == "file":
            filename, kind, content = files.get(name, ("", "application/octet-stream", b""))
            head += f'; filename="{filename}"\r\nContent-Type: {kind}'
        body += f"--{boundary}\r\nContent-Disposition: {head}\r\n\r\n".encode() + content + b"\r\n"
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"
