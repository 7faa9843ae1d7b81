"""What came back: the answer to one request of a test, and the error for a script that gave none.

Values only: header fields and bytes as the client would get them, and what a server keeps to itself,
which is standard error and how the script ended. They are made in `handlers.py` and `scripts.py`.
"""

import json
from collections.abc import Iterable

from ..charsets import find
from ..cookies import parse
from ..headers import Headers
from ..parameters import parse_header
from ..status import REASONS


class ScriptError(Exception):
    """A script gave no answer that a server could send, or failed while it did.

    `.answer` is what the client would have got (`Answer`): the server's own page, or the part that
    came. `.stderr` is what the script wrote to its standard error (str).
    """

    def __init__(self, what: str, answer: "Answer") -> None:
        said = f"\n{answer.stderr.rstrip()}" if answer.stderr else ""
        super().__init__(what + said)
        self.answer = answer
        self.stderr = answer.stderr


class Fields(Headers):
    """The header fields of an answer as they came: nothing is checked, since nothing is sent."""

    __slots__ = ()

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__()
        self._fields = list(fields)


class Answer:
    """The answer to a request: `status` (int), `headers`, `content` (bytes), and what follows from it.

    `url` is the path and the query that were asked for, `history` the redirects that were followed to
    get here. `error` is what the handler raised, or the `ScriptError`, where it was not raised in the
    test. `stderr` is the log: for a script file all of its standard error. `exit_status` is how the
    script file ended (int; -9 if signal 9 killed it), None for a handler.
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
        self.headers: Headers = Fields(fields)
        self.content = content
        self.stderr = stderr
        self.exit_status = exit_status
        self.error = error
        self.local_redirect = local_redirect
        """The path that the server would answer with instead (RFC 3875 section 6.2.2), "" if none."""
        self.url = ""
        self.history: list[Answer] = []

    def __repr__(self) -> str:
        kind = self.headers.get("Content-Type") or "no content type"
        return f"<Answer {self.status} {self.reason}, {kind}, {len(self.content)} bytes>"

    @property
    def status_code(self) -> int:
        """The same as `status`, by the name that other clients have for it."""
        return self.status

    @property
    def reason(self) -> str:
        """The usual words for the status (str), "" for one that has none."""
        return REASONS.get(self.status, "")

    @property
    def location(self) -> str:
        """Where a redirect leads, as it was written (str), "" where the answer is none."""
        return self.headers.get("Location") or ""

    @property
    def is_redirect(self) -> bool:
        """Whether the answer sends the client, or the server, to another page."""
        moved = self.status in {301, 302, 303, 307, 308} and bool(self.location)
        return moved or bool(self.local_redirect)

    @property
    def content_type(self) -> str:
        """The media type without its parameters, in lower case (str), "" if there is none."""
        return parse_header(self.headers.get("Content-Type") or "")[0].lower()

    @property
    def text(self) -> str:
        """The content as text (str), by the charset of its type, UTF-8 without one. What is not valid
        in it becomes U+FFFD.
        """
        charset = parse_header(self.headers.get("Content-Type") or "")[1].get("charset", "utf-8")
        return self.content.decode(find(charset) or "utf-8", "replace")

    def json(self) -> object:
        """Return the content decoded as JSON; `ValueError` if it is not valid."""
        return json.loads(self.content)

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies that this answer sets, decoded, by name; a deleted one is "" (dict of str)."""
        pairs = [field.partition(";")[0] for field in self.headers.getlist("Set-Cookie")]
        return {name: value for pair in pairs for name, value in parse(pair).pairs()}
