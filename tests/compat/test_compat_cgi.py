"""compat.cgi: what scripts and libraries took from the module that Python removed, and its old bugs.

The bugs are those of the table in docs/from/differences.md. It is compared with the original in
test_compat_original.py.
"""

import copy
import importlib
import io
import os
import resource
import subprocess
import sys
import tempfile
import types
from pathlib import Path
from typing import Any

import pytest
from compat.made import MULTIPART, body, environ, get, multipart, part, post

from cgikit.compat import cgi, limits

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


# --- what scripts do ----------------------------------------------------------------------------


def test_a_query_is_a_mapping_of_fields() -> None:
    form = get("a=1&b=2&a=3&blank=")
    assert form.keys() == ["a", "b"]
    assert form["b"].value == "2"
    assert [field.value for field in form["a"]] == ["1", "3"]
    assert form.getvalue("a") == ["1", "3"]
    assert form.getvalue("b") == "2"
    assert form.getvalue("blank", "x") == "x"
    assert form.getfirst("a") == "1"
    assert form.getlist("a") == ["1", "3"]
    assert form.getlist("c") == []
    assert "b" in form
    assert "blank" not in form
    assert len(form) == 2
    assert bool(form)
    assert list(form) == form.keys()
    with pytest.raises(KeyError):
        form["c"]
    with pytest.raises(AttributeError):
        _ = form.get


def test_blank_values_are_kept_on_request() -> None:
    assert get("a=&b", keep_blank_values=True).getvalue("a") == ""
    assert get("a=&b", keep_blank_values=True).getvalue("b") == ""
    assert not get("a=&b")


def test_of_an_urlencoded_form_the_body_comes_first_and_of_a_multipart_one_the_query() -> None:
    form = post(b"a=body", FORM, QUERY_STRING="a=query")
    assert form.getlist("a") == ["body", "query"]
    content = body(part("a", b"body"))
    form = post(content, MULTIPART, QUERY_STRING="a=query")
    assert form.getlist("a") == ["query", "body"]


def test_an_upload_is_bytes_and_a_text_str() -> None:
    form = multipart(
        part("t", "ü".encode()),
        part("f", b"\xff\r\n\0", "C:\\dir\\n.bin", "Content-Type: image/png"),
        part("empty", b"", ""),
    )
    assert form["t"].value == "ü"
    assert form["t"].filename is None
    file = form["f"]
    assert (file.value, file.filename, file.type) == (b"\xff\r\n\0", "C:\\dir\\n.bin", "image/png")
    assert file.file.read() == b"\xff\r\n\0"
    assert file.headers["Content-Type"] == "image/png"
    assert file.disposition == "form-data"
    assert (form["empty"].filename, form["empty"].value) == ("", b"")
    assert repr(form["t"]) == "FieldStorage('t', None, 'ü')"


def test_a_field_without_a_name_is_found_under_none() -> None:
    form = multipart(part(None, b"x"))
    assert form.getvalue(None) == "x"
    assert form.keys() == [None]


def test_a_large_upload_is_in_a_file_with_a_descriptor() -> None:
    file = multipart(part("f", b"x" * 1001, "n.bin"))["f"].file
    assert os.fstat(file.fileno()).st_size == 1001


def test_parse_gives_lists() -> None:
    variables = {"REQUEST_METHOD": "GET", "QUERY_STRING": "a=1&a=2&b="}
    assert cgi.parse(environ=variables) == {"a": ["1", "2"]}
    assert cgi.parse(environ=variables, keep_blank_values=1)["b"] == [""]
    assert "REQUEST_METHOD" not in (empty := {})
    assert cgi.parse(io.BytesIO(), empty) == {}
    assert empty == {}, "the environment was changed"
    content = b"a=1"
    variables = environ(content, FORM, QUERY_STRING="b=2")
    assert cgi.parse(io.BytesIO(content), variables) == {"a": ["1"], "b": ["2"]}


def test_the_first_argument_stands_for_the_query_outside_of_a_server_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "argv", ["script", "a=1"])
    assert cgi.FieldStorage(environ={}).getvalue("a") == "1"
    assert cgi.parse(environ={}) == {"a": ["1"]}
    # A visitor chooses the arguments of a request without "=" in its query (RFC 3875 section 4.4).
    assert not cgi.FieldStorage(environ={"REQUEST_METHOD": "GET"})
    assert cgi.parse(environ={"REQUEST_METHOD": "GET"}) == {}


def test_the_pages_for_testing_hide_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    cgi.test({"REQUEST_METHOD": "GET", "HTTP_COOKIE": "id=<secret>", "SERVER_NAME": "<b>"})
    page = capsys.readouterr().out
    assert page.startswith("Content-Type: text/html; charset=utf-8\n\n")
    assert "secret" not in page
    assert "&lt;b&gt;" in page


def test_names_that_were_never_meant_to_be_taken_from_here_are_there() -> None:
    from email.parser import FeedParser

    assert cgi.urllib.parse.quote("ü") == "%C3%BC"
    assert cgi.FeedParser is FeedParser
    assert cgi.StringIO is io.StringIO
    assert cgi.tempfile is tempfile
    assert cgi.escape('<a href="x">') == '&lt;a href="x"&gt;'
    assert cgi.escape('"', True) == "&quot;"
    assert cgi.parse_qs("a=1") == {"a": ["1"]}
    assert cgi.parse_qsl("a=1") == [("a", "1")]
    assert cgi.__version__
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = cgi.nothing
    assert {"FieldStorage", "parse_header", "print_form", "html", "log"} <= set(dir(cgi))


def test_star_brings_the_public_names() -> None:
    names: dict[str, Any] = {}
    exec("from cgikit.compat.cgi import *", names)
    assert set(cgi.__all__) <= set(names)


def test_log_writes_to_logfp_and_to_logfile(tmp_path: Path) -> None:
    module = fresh()
    module.log("%s", "to nobody")
    module.logfp = io.StringIO()
    module.initlog("%s", "one")
    module.log("%s", "two")
    assert module.logfp.getvalue() == "one\ntwo\n"
    module.closelog()
    module.logfile = str(tmp_path / "log")
    module.log("%s", "three")
    module.closelog()
    assert (tmp_path / "log").read_text() == "three\n"
    assert module.log is module.initlog


def fresh() -> types.ModuleType:
    """The module anew, so that nothing of it is changed for other tests."""
    name = "cgikit.compat.cgi"
    spec = importlib.util.find_spec(name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_module_can_be_reloaded_and_its_class_replaced() -> None:
    source = """
import importlib
from cgikit.compat import cgi
before = cgi.FieldStorage
cgi.maxlen = 5
importlib.reload(cgi)
assert cgi.maxlen == 0 and cgi.FieldStorage is not before
class Mine(cgi.FieldStorage): pass
cgi.FieldStorage = Mine
print(type(cgi.FieldStorage(environ={})).__name__)
"""
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("Mine\n", "")


def test_maxlen_counts_as_it_did() -> None:
    module = fresh()
    module.maxlen = 3
    for kind in (FORM, MULTIPART, JSON):
        with pytest.raises(ValueError, match="Maximum content length exceeded"):
            post(b"a=12", kind, module.FieldStorage)
    with pytest.raises(ValueError, match="Maximum content length exceeded"):
        module.parse(io.BytesIO(b"a=12"), environ(b"a=12", FORM))
    assert post(b"a=1", FORM, module.FieldStorage).getvalue("a") == "1"


@pytest.mark.parametrize("length", ["+5002", "00000000000000000005002", "9" * 19, " 5002 "])
def test_no_way_to_write_a_length_gets_round_maxlen(length: str) -> None:
    module = fresh()
    module.maxlen = 100
    variables = {**environ(b"", FORM), "CONTENT_LENGTH": length}
    with pytest.raises(ValueError, match="Maximum content length exceeded"):
        module.FieldStorage(io.BytesIO(b"a=" + b"x" * 5_000), environ=variables)


# --- the old bugs -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [JSON, "text/plain", "text/xml", "application/ld+json", ""])
def test_a_post_of_json_or_text_with_a_length_was_a_type_error(kind: str) -> None:
    form = post('{"a": "ü"}'.encode(), kind)
    assert form.value == '{"a": "ü"}'
    assert form.file.read() == '{"a": "ü"}'
    assert form.list is None


def test_a_body_that_is_not_text_is_bytes() -> None:
    assert post(b"\xff\0", "image/png").value == b"\xff\0"
    assert post(b"\xff\0" * 5_000, "application/octet-stream").value == b"\xff\0" * 5_000


def test_the_query_was_ignored_beside_a_body_that_is_no_form() -> None:
    form = post(b"{}", JSON, QUERY_STRING="a=1")
    assert form.getvalue("a") == "1"
    assert form.value == "{}"


def test_in_and_bool_were_type_errors_for_a_body_that_is_no_form() -> None:
    form = post(b"{}", JSON)
    assert "a" not in form
    assert form.keys() == []
    assert form.getvalue("a", "x") == "x"
    assert form
    assert not post(b"", JSON)
    with pytest.raises(KeyError):
        form["a"]


def test_bool_of_an_upload_was_a_type_error() -> None:
    form = multipart(part("f", b"x", "n"), part("none", b"", ""), part("empty file", b"", "n"))
    assert [bool(form[name]) for name in form] == [True, False, True]


def test_multipart_in_capitals_was_a_type_error() -> None:
    content = body(part("a", b"1"))
    assert post(content, "Multipart/Form-Data; boundary=XyZ").getvalue("a") == "1"
    variables = environ(content, "Multipart/Form-Data; boundary=XyZ")
    assert cgi.parse(io.BytesIO(content), variables) == {"a": ["1"]}


def test_parse_of_multipart_was_an_attribute_error() -> None:
    content = body(part("a", b"1"), part("f", b"\xff", "n"))
    found = cgi.parse(io.BytesIO(content), environ(content, MULTIPART))
    assert found == {"a": ["1"], "f": [b"\xff"]}
    for boundary in ("XyZ", b"XyZ"):
        parts = cgi.parse_multipart(io.BytesIO(content), {"boundary": boundary})
        assert parts == found


def test_a_character_across_64_kib_of_a_text_field_was_corrupted() -> None:
    text = "x" * 65_535 + "ü" + "y" * 65_534 + "日"
    form = multipart(part("t", text.encode()))
    assert form.getvalue("t") == text
    large = "ü" * (1 << 20)  # in a file
    assert multipart(part("t", large.encode())).getvalue("t") == large


def test_each_text_field_over_1000_bytes_took_a_descriptor() -> None:
    before = len(os.listdir("/proc/self/fd"))
    form = multipart(*[part(f"t{i}", b"x" * 1_500) for i in range(1_100)])
    assert len(os.listdir("/proc/self/fd")) == before
    assert len(form) == 1_100


@pytest.mark.parametrize("cut", [1, 4, 9, 30])
def test_truncated_uploads_were_accepted(cut: int) -> None:
    content = body(part("a", b"1"), part("f", b"x" * 50, "n"))
    variables = environ(content, MULTIPART)
    with pytest.raises(ValueError, match=f"cut off: {len(content) - 7 - cut} of {len(content)}"):
        cgi.FieldStorage(io.BytesIO(content[: -7 - cut]), environ=variables)


@pytest.mark.parametrize("kind", [FORM, JSON, "image/png"])
def test_truncated_bodies_of_other_types_were_accepted(kind: str) -> None:
    variables = environ(b"a=12345", kind)
    with pytest.raises(ValueError, match="cut off: 3 of 7 bytes"):
        cgi.FieldStorage(io.BytesIO(b"a=1"), environ=variables)


def test_a_form_that_is_whole_may_be_shorter_than_its_length() -> None:
    """Its last delimiter came: nothing of it can be missing."""
    content = body(part("a", b"1"))
    variables = environ(content, MULTIPART, CONTENT_LENGTH=str(len(content) + 2))
    assert cgi.FieldStorage(io.BytesIO(content), environ=variables).getvalue("a") == "1"


def test_with_on_an_urlencoded_form_was_an_attribute_error() -> None:
    with post(b"a=1", FORM) as form:
        assert form.getvalue("a") == "1"
    with multipart(part("f", b"x", "n")) as form:
        file = form["f"].file
        assert not file.closed
    assert file.closed


def test_files_were_closed_with_the_form_that_was_collected() -> None:
    file = multipart(part("f", b"x" * 2_000, "n"))["f"].file
    assert file.read() == b"x" * 2_000


@pytest.mark.parametrize("kind", ["multipart/related; boundary=in", "message/rfc822", FORM])
def test_a_file_of_type_multipart_came_out_as_nothing(kind: str) -> None:
    content = b"--in\r\n\r\ntext\r\n--in--\r\n"
    form = multipart(part("f", content, "page.mht", f"Content-Type: {kind}"), part("a", b"1"))
    assert form["f"].value == content
    assert form.getvalue("a") == "1"


def test_fields_behind_a_nested_multipart_were_lost() -> None:
    inner = body(part(None, b"one", "1.txt"), part(None, b"two", "2.txt"), boundary="in")
    files = part("files", inner, None, "Content-Type: multipart/mixed; boundary=in")
    form = multipart(files, part("a", b"1"))
    assert [file.value for file in form["files"].value] == [b"one", b"two"]
    assert form.getvalue("a") == "1"


@pytest.mark.parametrize("pieces", [True, False])
@pytest.mark.parametrize(
    ("inner", "files"),
    [
        (b"--in\r\n" + part(None, b"one", "1.txt"), [b"one"]),
        (b"--in", []),
        (b"--in\r\n", [""]),
        (b"--in\r\nContent-Type: text/plain\r\n", [""]),
        (b"", []),
        (b"preamble -- --form\r\n--", []),
    ],
)
def test_a_nested_multipart_without_its_last_delimiter_swallowed_all_that_followed(
    inner: bytes, files: list[object], pieces: bool
) -> None:
    nested = part("files", inner, None, "Content-Type: multipart/mixed; boundary=in")
    content = body(nested, part("a", b"1"), part("b", b"2"))
    variables = environ(content, MULTIPART, **({"CONTENT_LENGTH": ""} if pieces else {}))
    form = cgi.FieldStorage(io.BytesIO(content), environ=variables)
    assert [file.value for file in form["files"].value] == files
    assert (form.getvalue("a"), form.getvalue("b")) == ("1", "2")


def test_an_urlencoded_part_swallowed_all_that_followed() -> None:
    inner = part("in", b"x=1&y=2", None, f"Content-Type: {FORM}")
    form = multipart(inner, part("a", b"1"))
    assert [(field.name, field.value) for field in form["in"].value] == [("x", "1"), ("y", "2")]
    assert form.getvalue("a") == "1"


def test_with_a_semicolon_the_body_ran_into_the_query() -> None:
    content = b"a=1;b=2"
    variables = environ(content, FORM, QUERY_STRING="c=3")
    form = cgi.FieldStorage(io.BytesIO(content), environ=variables, separator=";")
    assert {key: form.getvalue(key) for key in form} == {"a": "1", "b": "2", "c": "3"}


def test_no_warning_gets_on_a_page(tmp_path: Path) -> None:
    source = """
import sys, io
sys.stderr = sys.stdout
from cgikit.compat import cgi
from compat.made import multipart, part
def handle():
    form = multipart(part("f", b"x" * 2000, "n"), part("t", b"y"))
    cgi.log("%s", "x")
    return form["f"].value
handle()
print("end")
"""
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-c", source],
        env={"PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr) == ("end\n", "")


def test_many_newlines_take_few_steps() -> None:
    """8 seconds for 10 MB: a line was a step. Counted are the calls that read."""

    class Counted(io.BytesIO):
        calls = 0

        def read(self, size: int | None = -1) -> bytes:
            Counted.calls += 1
            return super().read(size)

        def readline(self, size: int | None = -1) -> bytes:
            Counted.calls += 1
            return super().readline(size)

    content = body(part("f", b"\n" * 3_000_000, "n"))
    form = cgi.FieldStorage(Counted(content), environ=environ(content, MULTIPART))
    assert form["f"].value == b"\n" * 3_000_000
    assert Counted.calls < 100


# --- limits -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "kind", "content"),
    [
        ("body", 3, JSON, b"1234"),
        ("body", 50, MULTIPART, body(part("a", b"1"))),
        ("memory", 3, FORM, b"a=12"),
        ("memory", 3, MULTIPART, body(part("a", b"12"), part("b", b"34"))),
        ("fields", 2, FORM, b"a=1&b=2&c=3"),
        ("fields", 2, MULTIPART, body(*[part("a", b"1")] * 3)),
        ("files", 2, MULTIPART, body(*[part("a", b"1", "n")] * 3)),
        ("part_header", 20, MULTIPART, body(part("a", b"1"))),
        ("nesting", 0, MULTIPART, body(part("a", b"1"))),
    ],
)
def test_a_request_over_a_limit_is_a_value_error_that_names_it(
    name: str, value: int, kind: str, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, name, value)
    with pytest.raises(ValueError, match=f"set cgikit.compat.limits.{name}"):
        post(content, kind)
    variables = environ(content, kind, CONTENT_LENGTH="")
    with pytest.raises(ValueError, match=f"set cgikit.compat.limits.{name}"):
        cgi.FieldStorage(io.BytesIO(content), environ=variables)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_a_query_over_its_limit_is_a_value_error(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "query", 3)
    variables = {"REQUEST_METHOD": method, "QUERY_STRING": "a=12", "CONTENT_LENGTH": "0"}
    with pytest.raises(ValueError, match=r"limits\.query"):
        cgi.FieldStorage(io.BytesIO(), environ=variables)
    with pytest.raises(ValueError, match=r"limits\.query"):
        cgi.parse(io.BytesIO(), variables)


def test_every_limit_is_tried_here() -> None:
    source = Path(__file__).read_text()
    assert [name for name in limits.NAMES if f'"{name}", ' not in source] == []


@pytest.mark.parametrize(
    ("content", "kind"), [(b"a=1&b=2", FORM), (body(part("a", b"1"), part("b", b"2")), MULTIPART)]
)
def test_max_num_fields_counts_the_body_and_the_query(content: bytes, kind: str) -> None:
    variables = environ(content, kind, QUERY_STRING="c=3")
    cgi.FieldStorage(io.BytesIO(content), environ=variables, max_num_fields=3)
    with pytest.raises(ValueError, match="Max number of fields exceeded"):
        cgi.FieldStorage(io.BytesIO(content), environ=variables, max_num_fields=2)


def test_memory_stays_flat_for_a_large_upload() -> None:
    source = """
import resource
from cgikit.compat import cgi

HEAD = b'--XyZ\\r\\nContent-Disposition: form-data; name="f"; filename="n"\\r\\n\\r\\n'

class Stream:
    pieces = 200

    def read(self, size):
        self.pieces -= 1
        return b"" if self.pieces < 0 else HEAD if self.pieces == 199 else b"x" * size

    readline = read

kind = "multipart/form-data; boundary=XyZ"
variables = {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": str(1 << 28), "CONTENT_TYPE": kind}
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    cgi.FieldStorage(Stream(), environ=variables)
except ValueError as error:
    assert "cut off" in str(error)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run(
        [sys.executable, "-c", source],
        env={"PYTHONPATH": str(Path(__file__).parents[1]), "TMPDIR": tempfile.gettempdir()},
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    assert int(done.stdout) < 8_000  # KiB, of 26 MB


# --- the shapes of subclasses -------------------------------------------------------------------


def test_a_class_that_reads_the_parts_itself_calls_with_nine_positionals() -> None:
    """As WebOb has it, from the Python of 2016."""
    from email.parser import FeedParser

    class Copied(cgi.FieldStorage):
        def read_multi(
            self, environ: Any, keep_blank_values: object, strict_parsing: object
        ) -> None:
            boundary = self.innerboundary
            assert cgi.valid_boundary(boundary)
            self.list = []
            klass = self.FieldStorageClass or self.__class__
            line = self.fp.readline()
            self.bytes_read += len(line)
            while line.strip() != b"--" + boundary and line:
                line = self.fp.readline()
                self.bytes_read += len(line)
            while True:
                parser = FeedParser()
                head = b""
                while True:
                    line = self.fp.readline()
                    head += line
                    if not line.strip():
                        break
                if not head:
                    break
                self.bytes_read += len(head)
                parser.feed(head.decode(self.encoding, self.errors))
                one = klass(
                    self.fp,
                    parser.close(),
                    boundary,
                    environ,
                    keep_blank_values,
                    strict_parsing,
                    self.limit - self.bytes_read,
                    self.encoding,
                    self.errors,
                )
                self.bytes_read += one.bytes_read
                self.list.append(one)
                if one.done or self.bytes_read >= self.length > 0:
                    break
            self.skip_lines()

    form = multipart(part("a", b"1"), part("f", b"x" * 70_000, "n"), part("b", b"2"), klass=Copied)
    assert type(form["f"]) is Copied
    assert form["f"].value == b"x" * 70_000
    assert (form.getvalue("a"), form.getvalue("b")) == ("1", "2")
    assert form.bytes_read == form.length


def test_a_class_may_keep_uploads_in_files_of_its_own(tmp_path: Path) -> None:
    """As uploadserver has it."""

    class Named(cgi.FieldStorage):
        def make_file(self) -> Any:
            if self._binary_file:
                return tempfile.NamedTemporaryFile("wb+", dir=tmp_path, delete=False)
            return tempfile.NamedTemporaryFile(
                "w+", dir=tmp_path, encoding=self.encoding, newline="\n"
            )

    form = multipart(
        part("large", b"x" * 1_001, "n"),
        part("small", b"x" * 1_000, "n"),
        part("text", b"x" * 2_000),
        klass=Named,
    )
    os.rename(form["large"].file.name, tmp_path / "kept")
    form["large"].file.close()
    assert (tmp_path / "kept").read_bytes() == b"x" * 1_001
    assert isinstance(form["small"].file, io.BytesIO)
    assert os.listdir(tmp_path) == ["kept"]


def test_a_class_may_want_bodies_that_are_no_form_as_bytes() -> None:
    """As Roundup has it, for JSON."""

    class Binary(cgi.FieldStorage):
        def make_file(self) -> Any:
            return tempfile.TemporaryFile("wb+") if self.length >= 0 else super().make_file()

    with post(b'{"a": 1}', JSON, Binary) as form:
        assert form.value == b'{"a": 1}'


def test_a_class_may_write_by_the_mangled_names() -> None:
    """As forks of web2py's have it: lines of their own, `__write` and `__file` of the base class."""

    class Mangled(cgi.FieldStorage):
        def read_lines(self) -> None:
            self.file = self._FieldStorage__file = (
                io.BytesIO() if self._binary_file else io.StringIO()
            )
            while line := self.fp.readline(1 << 16):
                if line.rstrip() in (b"--XyZ", b"--XyZ--"):
                    self.done = int(line.rstrip().endswith(b"--XyZ--"))
                    break
                self._FieldStorage__write(line)

    form = multipart(part("t", "ü\n".encode()), part("f", b"x" * 2_000, "n"), klass=Mangled)
    assert form.getvalue("t") == "ü\n\r\n"
    assert form.getvalue("f") == b"x" * 2_000 + b"\r\n"


def test_a_class_may_skip_the_constructor() -> None:
    """As CKAN has it, to hand a file to what takes uploads."""

    class Fake(cgi.FieldStorage):
        def __init__(self, file: Any, name: str) -> None:
            self.file = file
            self.filename = name
            self.name = "upload"

    fake = Fake(io.BytesIO(b"content"), "n.csv")
    assert isinstance(fake, cgi.FieldStorage)
    assert fake.value == b"content"
    assert fake
    assert fake.keys() == []
    assert "x" not in fake
    assert repr(fake) == "FieldStorage('upload', 'n.csv', b'content')"
    with fake:
        pass
    assert fake.file.closed


def test_parts_may_be_of_another_class() -> None:
    class Part(cgi.FieldStorage):
        pass

    class Form(cgi.FieldStorage):
        FieldStorageClass = Part

    form = multipart(part("a", b"1"), klass=Form)
    assert (type(form), type(form["a"])) == (Form, Part)


def test_a_class_may_read_a_single_body_itself() -> None:
    class Own(cgi.FieldStorage):
        def read_single(self) -> None:
            self.file = io.StringIO(self.fp.read(self.length).decode())

    assert post(b"{}", JSON, Own).value == "{}"


def test_values_may_be_set() -> None:
    form = multipart(part("a", b"1"))
    form["a"].value = "2"
    assert form.getvalue("a") == "2"


def test_a_form_can_be_copied() -> None:
    form = get("a=1")
    assert copy.copy(form).getvalue("a") == "1"
    assert copy.deepcopy(form).getvalue("a") == "1"


# --- where it is called -------------------------------------------------------------------------


def test_headers_of_a_server_stand_for_the_environment() -> None:
    """As handlers of `http.server` have it."""
    from email.message import Message

    content = body(part("a", b"1"))
    headers = Message()
    headers["Content-Type"] = MULTIPART
    headers["Content-Length"] = str(len(content))
    source = io.BytesIO(content + b"POST /next")
    form = cgi.FieldStorage(source, headers, environ={"REQUEST_METHOD": "POST"})
    assert form.getvalue("a") == "1"
    assert source.read() == b"POST /next"


def test_standard_input_is_read_as_bytes_whatever_its_encoding(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    content = "a=ü".encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content), "ascii"))
    assert cgi.FieldStorage(environ=environ(content, FORM)).getvalue("a") == "ü"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"fp": "text", "environ": {"REQUEST_METHOD": "PUT"}}, "fp must be"),
        ({"headers": "text"}, "headers must be mapping"),
        ({"outerboundary": "text"}, "outerboundary must be bytes"),
    ],
)
def test_arguments_of_the_wrong_type_are_type_errors(arguments: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        cgi.FieldStorage(**arguments)


def test_a_source_of_text_is_a_value_error() -> None:
    for kind in (FORM, MULTIPART, JSON):
        with pytest.raises(ValueError, match="should return bytes, got str"):
            cgi.FieldStorage(io.StringIO("x" * 9), environ=environ(b"x" * 9, kind))


@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary="])
def test_multipart_without_a_boundary_is_a_value_error(kind: str) -> None:
    with pytest.raises(ValueError, match="Invalid boundary in multipart form: b''"):
        post(b"", kind)


@pytest.mark.parametrize(
    ("boundary", "valid"),
    [("a", True), (b"a b", True), ("a" * 201, True), ("", False), ("a ", False), ("a" * 202, False),
     ("ü", False), (b"\xfc", False), ("a\n", False)],
)  # fmt: skip
def test_what_a_boundary_may_be(boundary: Any, valid: bool) -> None:
    assert bool(cgi.valid_boundary(boundary)) is valid


def test_descriptors_are_given_back() -> None:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert soft > 100
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(50):
        multipart(part("f", b"x" * 2_000, "n"))
    assert len(os.listdir("/proc/self/fd")) == before
