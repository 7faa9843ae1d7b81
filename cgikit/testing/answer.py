"""The answer to one request of a test, and `ScriptError`, for a script that sent no usable answer.

Plain data: the status, headers and body that the client gets, and the standard error and exit status,
which it does not get. `handlers.py` and `scripts.py` create answers.
"""

import json
from collections.abc import Iterable

from ..charsets import find
from ..cookies import parse
from ..headers import Headers
from ..parameters import parse_header
from ..status import REASONS


class ScriptError(Exception):
    """A script gave no answer that a server could send, or failed while sending it.

    `.answer` is what the client would have got (`Answer`): the server's own page, or the part that
    came. `.stderr` is what the script wrote to its standard error (str).
    """

    def __init__(self, message: str, answer: "Answer") -> None:
        log = f"\n{answer.stderr.rstrip()}" if answer.stderr else ""
        super().__init__(message + log)
        self.answer = answer
        self.stderr = answer.stderr


class UncheckedHeaders(Headers):
    """The header fields of an answer as received, unchecked."""

    __slots__ = ()

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__()
        self._fields = list(fields)


class Answer:
    """The answer to a request: `status` (int), `headers`, `content` (bytes), and properties derived
    from these.

    `url` is the path and the query of the request, `history` the list of redirects that were followed.
    `error` is the handler's exception or the `ScriptError`, if the client did not raise it. `stderr` is
    the log: for a script file all of its standard error. `exit_status` is that of the script file (int;
    -9 if signal 9 killed it), or None for a handler.
    """

    def __init__(
        self,
        status: int,
        fields: Iterable[tuple[str, str]] = (),
        content: bytes = b"",
        *,
        stderr: str = "",
        exit_status: int | None = None,
        error: BaseException | None = None,
        local_redirect: str = "",
    ) -> None:
        self.status = status
        self.headers: Headers = UncheckedHeaders(fields)
        self.content = content
        self.stderr = stderr
        self.exit_status = exit_status
        self.error = error
        self.local_redirect = local_redirect
        """The path of a local redirect (RFC 3875 section 6.2.2), or ""."""
        self.url = ""
        self.history: list[Answer] = []

    def __repr__(self) -> str:
        kind = self.headers.get("Content-Type") or "no content type"
        return f"<Answer {self.status} {self.reason}, {kind}, {len(self.content)} bytes>"

    @property
    def status_code(self) -> int:
        """Alias of `status`, for readers used to other clients."""
        return self.status

    @property
    def reason(self) -> str:
        """The standard reason phrase of the status (str), or "" if it has none."""
        return REASONS.get(self.status, "")

    @property
    def location(self) -> str:
        """The target of a redirect as it was sent (str), or "" if this is not a redirect."""
        return self.headers.get("Location") or ""

    @property
    def is_redirect(self) -> bool:
        """Whether the answer sends the client, or the server, to another page."""
        moved = self.status in {301, 302, 303, 307, 308} and bool(self.location)
        return moved or bool(self.local_redirect)

    @property
    def content_type(self) -> str:
        """The media type without its parameters, in lower case (str), or "" if there is none."""
        return parse_header(self.headers.get("Content-Type") or "")[0].lower()

    @property
    def text(self) -> str:
        """The content as text (str), decoded with the charset in Content-Type (default: UTF-8); invalid
        bytes become U+FFFD.
        """
        charset = parse_header(self.headers.get("Content-Type") or "")[1].get("charset", "utf-8")
        return self.content.decode(find(charset) or "utf-8", "replace")

    def json(self) -> object:
        """Return the content decoded as JSON; `ValueError` if it is not valid."""
        return json.loads(self.content)

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies that this answer sets, decoded, by name (dict of str); a cookie that is being
        deleted has the value "".
        """
        pairs = [field.partition(";")[0] for field in self.headers.getlist("Set-Cookie")]
        return {name: value for pair in pairs for name, value in parse(pair).pairs()}
