"""The parts of a recorded request and of its answer, read by cgikit's own parsers.

The query and the form (WHATWG URL), files (RFC 7578), cookies (RFC 6265) and the header block of a
script (RFC 3875 section 6.3), as a script and the host have read them. Values in, values out; a part
that cannot be read says why. Nothing is hidden here: that is `hiding.py`.
"""

import os
from collections.abc import Callable

from cgikit import cookies, querystring
from cgikit.errors import CGIError
from cgikit.formparts import read_form
from cgikit.host.output import LocalRedirect, NPHParser, OutputParser, ScriptResponse
from cgikit.host.problem import Problem
from cgikit.limits import DEFAULT_LIMITS

from .exchange import Exchange, ScriptRun
from .maskedbody import URLENCODED

Pairs = list[tuple[str, str]]
_CUT = "only its beginning was kept"


class File:
    """A file of a form: `name` is the field's, `content` all of it (bytes)."""

    def __init__(self, name: str, filename: str, content_type: str, content: bytes) -> None:
        self.name = name
        self.filename = filename
        self.content_type = content_type
        self.content = content


class Parts:
    """What a request has: `query`, `form` and `cookies` (pairs), `files`. `why` says by the name of a
    part why it could not be read. `media_type` is that of the body, "" if there is none.
    """

    def __init__(self, exchange: Exchange) -> None:
        self.why: dict[str, str] = {}
        self.form: Pairs = []
        self.files: list[File] = []
        request = exchange.request
        self.query = self._read("query", lambda: querystring.parse(request.query).pairs())
        self.cookies = self._read("cookies", lambda: cookies.parse(_cookie(exchange)).pairs())
        body = exchange.body
        self.media_type = ""
        if body is None:
            return
        self.media_type = request.content_type.partition(";")[0].strip().lower()
        if self.media_type not in (URLENCODED, "multipart/form-data"):
            return
        if body.is_cut or body.length < (request.content_length or 0):
            self.why["form"] = _CUT if body.is_cut else "the script did not read all of it"
            if self.media_type != URLENCODED:
                self.why["files"] = self.why["form"]
        elif self.media_type == URLENCODED:
            self.form = self._read("form", lambda: querystring.parse(body.kept).pairs())
        else:
            self.form = self._read("form", lambda: self._multipart(body.kept, request.content_type))

    @property
    def fields(self) -> Pairs:
        """The fields of the query and of the form."""
        return [*self.query, *self.form]

    def _read(self, part: str, read: Callable[[], Pairs]) -> Pairs:
        try:
            return read()
        except CGIError as error:
            self.why[part] = str(error)
            return []

    def _multipart(self, body: bytes, content_type: str) -> Pairs:
        form, files = read_form(
            [body], content_type, length=len(body), limits=DEFAULT_LIMITS, upload_dir=None
        )
        for name, upload in files.pairs():
            self.files.append(File(name, upload.filename, upload.content_type, upload.read()))
            upload.discard()
        return form.pairs()


def _cookie(exchange: Exchange) -> str:
    values = [v for n, v in exchange.request.headers if n.lower() == "cookie"]
    return os.fsencode("; ".join(values)).decode("utf-8", "replace")


def header_block(run: ScriptRun) -> ScriptResponse | LocalRedirect | Problem:
    """Return what the host made of a script's output: an answer, a local redirect, or a problem."""
    name = os.path.basename(run.file)
    parser = NPHParser() if name.startswith("nph-") else OutputParser()
    try:
        return parser.feed(run.stdout.kept) or parser.end()
    except Problem as problem:
        return problem
