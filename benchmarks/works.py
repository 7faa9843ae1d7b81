"""The works that are measured: the request, the one right answer, and the targets.

Nothing runs here. A name never equals a module's that a script imports (there is no "multipart"):
a script's own directory comes first on its path, and it would import itself.
"""

from collections.abc import Callable
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import quote_plus, urlencode

BARE = "bare Python"
CAT = "cat"
DD = "dd, block by block"
BOUNDARY = "----geckoformboundary8b1f5c2d4e7a90"
VALUE = "Zoë & Co"


@dataclass(frozen=True)
class Target:
    """What `contender` should reach: its time over that of `against`, at most or below `ratio`."""

    contender: str
    against: str
    ratio: float
    strictly: bool = False


@dataclass(frozen=True)
class Work:
    """One request. `answer(n)` is the HTML expected from a contender's n-th run (n from 1)."""

    name: str
    title: str
    answer: Callable[[int], str]
    targets: tuple[Target, ...]
    query: str = ""
    content_type: str = ""
    body: bytes = b""
    floor: str = BARE
    rounds: float = 1.0  # times the rounds asked for
    piped: bool = False
    size: int = 0  # bytes of the large file, which is no part of `body`
    scripts: str = ""  # the scripts' name where it is not the work's
    cookies: bool = False  # whether what an answer sets is sent with the next request
    read: Callable[[str], str] = str.strip  # what of the HTML is compared with the answer
    only: tuple[str, ...] = ()  # contenders; empty: all that have a script

    @property
    def script(self) -> str:
        """The name of the work's script in every contender's directory."""
        return self.scripts or self.name


def form_body() -> bytes:
    """Build a url-encoded form of 20 fields, as a browser sends one."""
    values = [f"value {i}: {VALUE}, 50%" for i in range(1, 20)] + [VALUE]
    return "&".join(f"field{i}={quote_plus(v)}" for i, v in enumerate(values, 1)).encode()


def envelope(note: str, filename: str, content_type: str) -> tuple[bytes, bytes]:
    """Build the bytes before and after a file's content in a multipart form with one text field."""
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="note"\r\n\r\n{note}\r\n'
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n'
        f"Content-Type: {content_type}\r\n\r\n"
    )
    return head.encode(), f"\r\n--{BOUNDARY}--\r\n".encode()


def file_body() -> bytes:
    """Build a multipart form: one text field and one file of 2,000 bytes."""
    head, tail = envelope(VALUE, "notes.txt", "text/plain")
    return head + b"a line of forty bytes, and the newline\r\n" * 50 + tail


def _upload(name: str, title: str, size: int, *, piped: bool, ratio: float) -> Work:
    return Work(
        name,
        title,
        answer=lambda n: f"<p>{size} bytes saved</p>",
        targets=(Target("cgikit", CAT, ratio),),
        content_type=f"multipart/form-data; boundary={BOUNDARY}",
        floor=CAT,
        rounds=0.1,
        piped=piped,
        size=size,
        scripts="upload",
        only=() if piped else (CAT, DD, "cgikit"),
    )


STICKY = {
    "name": VALUE, "email": "zoe@example.org", "age": "33", "colour": "green", "size": "m",
    "news": "on", "note": "One line",
}  # fmt: skip


class Filled(HTMLParser):
    """Reads what a form would send if it were sent as it is: no peer writes it as another one does."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inside = ""  # the name of the select or text area

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take what is filled in by attributes."""
        of = dict(attrs)
        if tag in {"select", "textarea"}:
            self.inside = of["name"] or ""
        kind = of.get("type")
        shown = kind not in {"submit", "hidden"} and (
            kind not in {"checkbox", "radio"} or "checked" in of
        )
        if (tag == "option" and "selected" in of) or (tag == "input" and shown):
            self.found.append(f"{of.get('name') or self.inside}={of.get('value')}")

    def handle_endtag(self, tag: str) -> None:
        """Leave a select or a text area."""
        if tag in {"select", "textarea"}:
            self.inside = ""

    def handle_data(self, data: str) -> None:
        """Take what the text area has in it."""
        if self.inside == "note":
            self.found.append(f"note={data.strip()}")


def filled(html: str) -> str:
    """Return the fields of a form, as `name=value` in the order of the page."""
    reader = Filled()
    reader.feed(html)
    return " ".join(reader.found)


NEWLINES = 10_000_000
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"
WORKS = (
    Work(
        "get",
        "GET with a query string, HTML answer",
        answer=lambda n: "<p>Hello, Zoë &amp; Co!</p>",
        targets=(Target("cgikit", BARE, 1.05), Target("cgikit", "Perl CGI.pm", 1.0, strictly=True)),
        query=f"name={quote_plus(VALUE)}&page=3&tag=a&tag=b&from=search",
    ),
    Work(
        "post",
        "POST url-encoded, 20 fields",
        answer=lambda n: "<p>20 fields, the last: Zoë &amp; Co</p>",
        targets=(Target("cgikit", BARE, 1.10),),
        content_type="application/x-www-form-urlencoded",
        body=form_body(),
    ),
    Work(
        "counter",
        "A counter in a file, HTML answer",
        answer=lambda n: f"<p>You are visitor number <b>{41 + n:06}</b></p>",
        targets=(Target("cgikit", BARE, 1.15),),
        query="digits=6",
    ),
    Work(
        "session",
        "A session: load, change, save, HTML answer",
        answer=lambda n: f"<p>Your visit number <b>{n}</b></p>",
        targets=(
            Target("cgikit", BARE, 1.25),
            Target("cgikit", "Perl CGI.pm", 1.0, strictly=True),
            Target("cgikit", "PHP", 1.0, strictly=True),
        ),
        cookies=True,
    ),
    Work(
        "sticky",
        "A form of eight fields, filled with what was sent",
        answer=lambda n: " ".join(f"{name}={value}" for name, value in STICKY.items()),
        targets=(Target("cgikit", BARE, 1.2), Target("cgikit", "Perl CGI.pm", 1.0, strictly=True)),
        query=urlencode(STICKY),
        read=filled,
    ),
    Work(
        "file",
        "POST multipart, one small file",
        answer=lambda n: "<p>Zoë &amp; Co: notes.txt, 2000 bytes</p>",
        targets=(Target("cgikit", "legacy-cgi", 0.6),),
        content_type=MULTIPART,
        body=file_body(),
    ),
    Work(
        "old-get",
        "The module cgi: GET with a query string",
        answer=lambda n: "<p>Hello, Zoë!</p>",
        targets=(
            Target("cgikit.compat", "legacy-cgi", 0.45),
            Target("cgikit.compat, install()", "legacy-cgi", 0.5),
        ),
        query=f"name={quote_plus(VALUE)}&page=3&tag=a&tag=b&from=search",
        scripts="old_get",
    ),
    Work(
        "old-post",
        "The module cgi: POST url-encoded, 20 fields",
        answer=lambda n: "<p>20 fields, the last of 8 characters</p>",
        targets=(Target("cgikit.compat", "legacy-cgi", 0.45),),
        content_type="application/x-www-form-urlencoded",
        body=form_body(),
        scripts="old_post",
    ),
    Work(
        "old-file",
        "The module cgi: POST multipart, one small file",
        answer=lambda n: "<p>notes.txt, 2000 bytes</p>",
        targets=(Target("cgikit.compat", "legacy-cgi", 0.75),),
        content_type=MULTIPART,
        body=file_body(),
        scripts="old_file",
    ),
    Work(
        "old-newlines",
        "The module cgi: POST multipart, 10 MB of newlines",
        answer=lambda n: f"<p>lines.txt, {NEWLINES} bytes</p>",
        targets=(Target("cgikit.compat", "legacy-cgi", 0.1),),
        content_type=MULTIPART,
        body=(b"\n" * NEWLINES).join(envelope(VALUE, "lines.txt", "text/plain")),
        scripts="old_newlines",
        rounds=0.1,
    ),
    _upload(
        "upload-pipe", "Upload of 256 MiB, saved; from a pipe", 256 << 20, piped=True, ratio=1.5
    ),
    _upload(
        "upload-file", "Upload of 256 MiB, saved; from a file", 256 << 20, piped=False, ratio=1.6
    ),
)
UPLOAD_SIZES = (16 << 20, 256 << 20, 1 << 30)  # for the peak of memory
PEAK_TARGET = 20 << 20  # bytes
