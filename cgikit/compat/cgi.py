"""The module `cgi` that Python 3.13 removed: `FieldStorage`, `parse`, `parse_header` and everything
else that scripts used, with the old names and behaviour.

This is a new implementation based on cgikit, for scripts that must run unchanged;
docs/from/differences.md lists the differences. `reading.py` reads bodies; requests without one do not
load it. The variables that scripts may set are in this module, as they were in the old one: `maxlen`,
`logfile`, `logfp`, `log`.
"""

import os
import sys

from cgikit.compat.fields import EMPTY, Fields, load_submodules, watched

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from cgikit.compat.headers import parse_header
    from cgikit.compat.printing import (
        print_arguments,
        print_directory,
        print_environ,
        print_environ_usage,
        print_exception,
        print_form,
    )
    from cgikit.compat.urlencoded import Rules

__version__ = "2.6"  # of the interface
__all__ = [
    "FieldStorage",
    "MiniFieldStorage",
    "parse",
    "parse_header",
    "parse_multipart",
    "print_arguments",
    "print_directory",
    "print_environ",
    "print_environ_usage",
    "print_exception",
    "print_form",
    "test",
]

maxlen = (
    0  # bytes of the largest CONTENT_LENGTH accepted; 0: as many as cgikit.compat.limits allows
)
logfile = ""  # the name of a file for `log`
logfp: "Any" = None  # or the open file

#: Names that are imported on first use, and their modules. `io.StringIO` and the like were never meant
#: to be imported from here, but scripts do so.
_ELSEWHERE = {
    name: module
    for module, names in (
        ("cgikit.compat.headers", "parse_header"),
        ("cgikit.compat.reading", "valid_boundary"),
        ("cgikit.compat.printing", "escape print_arguments print_directory print_environ"),
        ("cgikit.compat.printing", "print_environ_usage print_exception print_form"),
        ("urllib.parse", "parse_qs parse_qsl"),
        ("io", "BytesIO StringIO TextIOWrapper"),
        ("collections.abc", "Mapping"),
        ("email.parser", "FeedParser"),
        ("email.message", "Message"),
    )
    for name in names.split()
}
_MODULES = frozenset(("html", "locale", "tempfile", "urllib", "warnings"))
#: Removed in Python 3.8, or never public: `dir()` does not list them, but they can be used.
_HIDDEN = frozenset(("EMPTY", "Fields", "TYPE_CHECKING", "escape", "parse_qs", "parse_qsl"))
_FORM = "application/x-www-form-urlencoded"


def __getattr__(name: str) -> "Any":
    if name in _MODULES:
        value = __import__("urllib.parse" if name == "urllib" else name)
    elif name in _ELSEWHERE:
        value = getattr(__import__(_ELSEWHERE[name], fromlist=[name]), name)
        if value.__module__.startswith("cgikit."):
            value.__module__ = __name__  # as help() and pickle know it
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_ELSEWHERE, *_MODULES} - _HIDDEN)


def initlog(*allargs: "Any") -> None:
    """Open `logfile` and write a message (a format and its arguments), as `log` first does."""
    own = globals()
    if logfile and not logfp:
        try:
            own["logfp"] = open(logfile, "a", encoding="utf-8", errors="replace")  # noqa: SIM115
        except OSError:
            pass  # there is no place to report it
    own["log"] = dolog if logfp else nolog
    log(*allargs)


def dolog(fmt: str, *args: "Any") -> None:
    """Write a message to `logfp`: `log` if there is one."""
    logfp.write(fmt % args + "\n")


def nolog(*allargs: "Any") -> None:
    """Do nothing: `log` without a file."""


def closelog() -> None:
    """Close the file of `log`."""
    own = globals()
    if logfp:
        logfp.close()
    own.update(logfile="", logfp=None, log=initlog)


log: "Any" = initlog


def parse(
    fp: "Any" = None,
    environ: "Any" = None,
    keep_blank_values: object = 0,
    strict_parsing: object = 0,
    separator: str = "&",
) -> "dict[str, list[Any]]":
    """Return the fields of a request, as `urllib.parse.parse_qs` gives them: {name: [value, …]}.

    `fp` is the body (default: standard input). In a multipart form the values of files are bytes.
    Raises `ValueError` for a CONTENT_LENGTH over `maxlen`, and for a body over a limit or cut off.
    """
    environ = os.environ if environ is None else environ
    fp = sys.stdin if fp is None else fp
    encoding = getattr(fp, "encoding", None) or "latin-1"
    from cgikit.compat.urlencoded import Rules, whole

    rules = Rules(keep_blank_values, strict_parsing, encoding, separator=separator)
    found = []
    if environ.get("REQUEST_METHOD", "GET") == "POST":
        kind, parameters = _parse_header(environ.get("CONTENT_TYPE") or _FORM)
        length = _length(environ.get("CONTENT_LENGTH", ""))
        if kind.lower() == "multipart/form-data":
            given = {**parameters, "CONTENT-LENGTH": str(length)}
            return parse_multipart(fp, given, separator=separator)
        if kind.lower() == _FORM:
            found = rules.pairs(whole(_binary(fp), length))
    found += rules.text_pairs(_query(environ))
    return _lists(found)


def parse_multipart(
    fp: "Any",
    pdict: "Any",
    encoding: str = "utf-8",
    errors: str = "replace",
    separator: str = "&",
) -> "dict[str, list[Any]]":
    """Return the fields of a multipart body: {name: [value, …]}, str for text and bytes for files.

    `pdict` are the parameters of its Content-Type (`boundary`, bytes or str) and CONTENT-LENGTH, if
    known.
    """
    boundary = pdict["boundary"]
    if isinstance(boundary, bytes):
        boundary = boundary.decode("ascii")
    quoted = boundary.replace("\\", "\\\\").replace('"', '\\"')
    headers = {"content-type": f'multipart/form-data; boundary="{quoted}"'}
    if "CONTENT-LENGTH" in pdict:
        headers["content-length"] = pdict["CONTENT-LENGTH"]
    form = FieldStorage(
        fp,
        headers,
        environ={"REQUEST_METHOD": "POST"},
        encoding=encoding,
        errors=errors,
        separator=separator,
    )
    return {name: form.getlist(name) for name in form}


def _lists(pairs: list[tuple[str, str]]) -> "dict[str, list[Any]]":
    found: dict[str, list[Any]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def _parse_header(line: str) -> tuple[str, dict[str, str]]:
    if ";" not in line:
        return line.strip(), {}
    from cgikit.compat import headers

    return headers.parse_header(line)


def _binary(fp: "Any") -> "Any":
    """Return the byte stream under a text stream."""
    if hasattr(fp, "buffer") and hasattr(fp, "encoding"):
        return fp.buffer
    if not (hasattr(fp, "read") and hasattr(fp, "readline")):
        raise TypeError(f"fp must be a file of bytes to read from, not {fp!r}")
    return fp


def _length(text: object) -> int:
    """Return a length as `int` reads it, or -1 if it is not a number; check it against `maxlen`."""
    text = str(text).strip()
    digits = text.removeprefix("+").lstrip("0") or text[-1:]
    if not (digits.isascii() and digits.isdigit()):
        return -1
    if len(digits) > 18:  # more than any body has; `int` would take ever longer
        raise ValueError(f"Maximum content length exceeded: a number of {len(digits)} digits")
    length = int(digits)
    if maxlen and length > maxlen:
        raise ValueError(f"Maximum content length exceeded: {length}, with cgi.maxlen={maxlen}")
    return length


def _query(environ: "Any") -> str:
    """Return the query string; outside a web server the first argument may replace it."""
    from cgikit.compat import limits

    query = environ.get("QUERY_STRING")
    if query is None:
        # Never for a request: the visitor could choose the arguments
        query = sys.argv[1] if sys.argv[1:] and not environ.get("REQUEST_METHOD") else ""
    limits.check("query", len(query))
    return str(query)


class MiniFieldStorage:
    """One field of a query or an urlencoded form: `.name` and `.value`, both str."""

    filename = None
    list = None
    type = None
    file = None
    type_options = EMPTY
    disposition = None
    disposition_options = EMPTY
    headers = EMPTY

    def __init__(self, name: "Any", value: "Any") -> None:
        self.name = name
        self.value = value

    def __repr__(self) -> str:
        return f"MiniFieldStorage({self.name!r}, {self.value!r})"


class FieldStorage(Fields):
    """A form: a mapping of names to fields, and each field of a multipart form, too.

    `form[name]` is an object with `.value` (str; bytes for a file), `.filename` (None for text),
    `.file`, `.type`, `.headers`, or a list of these if the name was sent more than once. `getfirst`,
    `getlist` and `getvalue` return values. A body that is not a form has `.value` and `.file`, and the
    fields of the query.

    The arguments and their order are those of the old class; subclasses are called with them for every
    part. Raises `ValueError` for a body that exceeds `maxlen` or a limit, or was cut off; `TypeError`
    if `fp` is not a file or `headers` is not a mapping.
    """

    # For subclasses whose __init__ does not call this one.
    type: "Any" = None
    headers: "Any" = EMPTY
    disposition = ""
    disposition_options: "Any" = EMPTY
    type_options: "Any" = EMPTY
    max_num_fields: "int | None" = None
    separator = "&"
    qs_on_post: "str | None" = None
    outerboundary = b""
    length = -1
    done = 0
    bytes_read = 0
    limit: "int | None" = None
    encoding = "utf-8"
    errors = "replace"
    keep_blank_values: object = 0
    strict_parsing: object = 0
    _binary_file = False
    _decoder: "Any" = None
    _FieldStorage__file: "Any" = None

    bufsize = 8 * 1024  # has no effect, but an overriding method may read it
    FieldStorageClass: "Any" = None

    def __init__(
        self,
        fp: "Any" = None,
        headers: "Any" = None,
        outerboundary: bytes = b"",
        environ: "Any" = None,
        keep_blank_values: object = 0,
        strict_parsing: object = 0,
        limit: "int | None" = None,
        encoding: str = "utf-8",
        errors: str = "replace",
        max_num_fields: "int | None" = None,
        separator: str = "&",
    ) -> None:
        load_submodules()
        self.keep_blank_values = keep_blank_values
        self.strict_parsing = strict_parsing
        self.max_num_fields = max_num_fields
        self.separator = separator
        self.encoding = encoding
        self.errors = errors
        self.limit = limit
        if not isinstance(outerboundary, bytes):
            raise TypeError(f"outerboundary must be bytes, not {type(outerboundary).__name__}")
        self.outerboundary = outerboundary
        environ = os.environ if environ is None else environ
        method = environ.get("REQUEST_METHOD", "GET").upper()
        if method in ("GET", "HEAD"):
            from io import BytesIO

            fp = BytesIO(os.fsencode(_query(environ)))
            headers = {"content-type": _FORM} if headers is None else headers
        elif headers is None:
            headers = self._headers(method, environ)
        if isinstance(headers, str) or not hasattr(headers, "keys"):
            raise TypeError(
                f"headers must be mapping or an instance of email.message.Message, not {headers!r}"
            )
        self.headers = headers
        self.fp = _binary(sys.stdin if fp is None else fp)
        self._describe(method)
        self._read(environ)
        self.list = watched(self.list)

    def _headers(self, method: str, environ: "Any") -> "dict[str, str]":
        """Return the header fields that the environment holds (RFC 3875 section 4.1)."""
        headers = {"content-type": _FORM} if method == "POST" else {}
        for name, variable in (
            ("content-type", "CONTENT_TYPE"),
            ("content-length", "CONTENT_LENGTH"),
        ):
            if variable in environ:
                headers[name] = environ[variable]
        if "QUERY_STRING" in environ:
            self.qs_on_post = environ["QUERY_STRING"]
        return headers

    def _describe(self, method: str) -> None:
        """Set the name, the type and the length from the headers."""
        headers = self.headers
        if "content-disposition" in headers:
            self.disposition, options = _parse_header(headers["content-disposition"])
            self.disposition_options = options
            self.name = options.get("name")
            self.filename = options.get("filename")
        else:
            self.disposition_options = {}
        if "content-type" in headers:
            self.type, self.type_options = _parse_header(headers["content-type"])
        else:
            inner = self.outerboundary or method != "POST"
            self.type, self.type_options = "text/plain" if inner else _FORM, {}
        boundary = self.type_options.get("boundary", "")
        self.innerboundary = boundary.encode(self.encoding, self.errors)
        if "content-length" in headers:
            length = _length(headers["content-length"])
            self.length = -1 if method in ("GET", "HEAD") else length
        if self.limit is None and self.length >= 0:
            self.limit = self.length

    def _read(self, environ: "Any") -> None:
        self.list = self.file = None
        kind = self.type.lower()
        # An upload is a file, whatever its type: an archive of a web page is multipart as well
        is_file = self.filename is not None
        if kind == _FORM and not is_file:
            self.read_urlencoded()
        elif kind.startswith("multipart/") and not is_file:
            self.read_multi(environ, self.keep_blank_values, self.strict_parsing)
        else:
            if not self.outerboundary:
                from cgikit.compat.reading import is_text

                is_file = is_file or not is_text(kind)
                self.list = self.query_fields() or None
            self._binary_file = is_file
            self.read_single()

    # Each step of reading is a method of its own, because subclasses override them.

    def query_fields(self, before: int = 0) -> "Any":
        """Return the fields of the query string of a request whose body had `before` fields."""
        if not self.qs_on_post:
            return []
        from cgikit.compat import limits

        limits.check("query", len(self.qs_on_post))
        pairs = self._rules(before).text_pairs(self.qs_on_post)
        return [MiniFieldStorage(*pair) for pair in pairs]

    def _rules(self, before: int = 0) -> "Rules":
        """Return how fields are read, after `before` of them."""
        from cgikit.compat.urlencoded import Rules

        most = self.max_num_fields
        return Rules(
            self.keep_blank_values,
            self.strict_parsing,
            self.encoding,
            self.errors,
            most if most is None else most - before,
            self.separator,
        )

    def read_urlencoded(self) -> None:
        """Read fields in the form of a query string."""
        if self.outerboundary:
            from cgikit.compat.reading import read_part

            raw = read_part(self)
        else:
            from cgikit.compat.urlencoded import whole

            raw = whole(self.fp, self.length)
        rules = self._rules()
        self.list = [MiniFieldStorage(*pair) for pair in rules.pairs(raw)]
        if self.qs_on_post:
            self.list += self.query_fields(rules.count(raw))

    def read_multi(self, environ: "Any", keep_blank_values: object, strict_parsing: object) -> None:
        """Read parts."""
        from cgikit.compat import reading

        reading.read_multi(self, environ, keep_blank_values, strict_parsing)

    def read_single(self) -> None:
        """Read one value."""
        from cgikit.compat import reading

        reading.read_single(self)

    def read_binary(self) -> None:
        """Read as many bytes as the length says."""
        from cgikit.compat import reading

        reading.read_binary(self)

    def read_lines(self) -> None:
        """Read up to the outer boundary, or to the end."""
        from cgikit.compat import reading

        reading.read_lines(self)

    def read_lines_to_eof(self) -> None:
        """Read to the end."""
        from cgikit.compat import reading

        reading.read_lines_to_eof(self)

    def read_lines_to_outerboundary(self) -> None:
        """Read up to the outer boundary."""
        from cgikit.compat import reading

        reading.read_lines_to_outerboundary(self)

    def skip_lines(self) -> None:
        """Skip the rest, up to the outer boundary."""
        from cgikit.compat import reading

        reading.skip_lines(self)

    def _FieldStorage__write(self, line: bytes) -> None:  # noqa: N802
        from cgikit.compat import reading

        reading.write(self, line)

    def make_file(self) -> "Any":
        """Return a new file for reading and writing: of bytes for an upload, otherwise of text. For
        subclasses to override.
        """
        from cgikit.compat.temporary import temporary_file

        return temporary_file(None if self._binary_file else self.encoding)

    def has_own_make_file(self) -> bool:
        """Whether a subclass says where content is kept."""
        return type(self).make_file is not FieldStorage.make_file


def test(environ: "Any" = None) -> None:  # noqa: PT028
    """Answer a request with a page that shows everything about it."""
    from cgikit.compat import printing

    printing.test(os.environ if environ is None else environ, FieldStorage)
