"""Files as answers: conditions, ranges, other kinds of files, and what happens while one is sent."""

import gzip
import io
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pytest
from child import environment, run_script, start, write_script
from fronts import server
from requirement import need
from servers.curl import curl
from serving import serve

from cgikit import CGIError, Response
from cgikit.dates import format_http_date, parse_http_date
from cgikit.environ import MetaVariables
from cgikit.errors import MissingFile
from cgikit.filebody import FileBody, guess_type, is_strong, parse_range
from cgikit.process import CUT

MODIFIED = 784_111_777
LAST_MODIFIED = "Sun, 06 Nov 1994 08:49:37 GMT"
ETAG = f'"{MODIFIED * 10**9:x}-a"'
CONTENT = b"0123456789"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "picture.png"
    file.write_bytes(CONTENT)
    os.utime(file, (MODIFIED, MODIFIED))
    return file


def get(path: Path, method: str = "GET", **headers: str) -> tuple[str, dict[str, str], bytes]:
    """The status line, the fields and the body that a request with these headers gets."""
    variables = {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    out = io.BytesIO()
    Response.file(path).send(out, MetaVariables(environment(REQUEST_METHOD=method, **variables)))
    head, _, body = out.getvalue().partition(b"\n\n")
    fields = dict(line.split(": ", 1) for line in head.decode("ascii").split("\n"))
    return fields.pop("Status", "200 OK"), fields, body


def open_files() -> list[str]:
    return os.listdir("/proc/self/fd")


def test_the_exact_bytes(path: Path) -> None:
    out = io.BytesIO()
    Response.file(path).send(out, MetaVariables(environment()))
    assert out.getvalue() == (
        "Content-Type: image/png\n"
        "X-Content-Type-Options: nosniff\n"
        f"Last-Modified: {LAST_MODIFIED}\n"
        f"ETag: {ETAG}\n"
        "Accept-Ranges: bytes\n"
        "Content-Length: 10\n"
        "\n0123456789"
    ).encode("ascii")


def test_r9_head_has_the_fields_of_get(path: Path) -> None:
    status, fields, body = get(path)
    assert get(path, "HEAD") == (status, fields, b"")
    assert body == CONTENT


def test_an_empty_file(path: Path) -> None:
    path.write_bytes(b"")
    status, fields, body = get(path)
    assert (status, fields["Content-Length"], body) == ("200 OK", "0", b"")


@pytest.mark.parametrize("wanted", ["bytes=-5", "bytes=0-", "bytes=0-0", "bytes=-0", "bytes=5-"])
def test_a_range_of_an_empty_file_is_the_empty_file(path: Path, wanted: str) -> None:
    """It was 416, to players and resumed downloads, which ask for a range of everything. A suffix can
    be satisfied (RFC 9110 section 14.1.1), but no Content-Range says so; httpd ignores all of them.
    """
    path.write_bytes(b"")
    status, fields, body = get(path, range=wanted)
    assert (status, fields["Content-Length"], body) == ("200 OK", "0", b"")
    assert "Content-Range" not in fields


def test_the_etag_changes_with_the_content(path: Path) -> None:
    before = get(path)[1]["ETag"]
    os.utime(path, ns=(0, MODIFIED * 10**9 + 1))
    after = get(path)[1]["ETag"]
    path.write_bytes(CONTENT + b"x")
    os.utime(path, (MODIFIED, MODIFIED))
    assert len({before, after, get(path)[1]["ETag"]}) == 3


# --- conditions (RFC 9110 section 13) -----------------------------------------------------------


def tagged(suffix: str) -> str:
    """The entity tag of the file with something at its end."""
    return f'{ETAG[:-1]}{suffix}"'


EARLIER, LATER = format_http_date(MODIFIED - 1), format_http_date(MODIFIED + 1)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"if_none_match": ETAG}, 304),
        ({"if_none_match": "W/" + ETAG}, 304),
        ({"if_none_match": f'"x", {ETAG}'}, 304),
        ({"if_none_match": "*"}, 304),
        # what servers make of it when they compress the answer
        ({"if_none_match": tagged("-gzip")}, 304),
        ({"if_none_match": tagged("-br")}, 304),
        ({"if_none_match": f'"x", W/{tagged("-zstd")}'}, 304),
        ({"if_none_match": tagged("-other")}, 200),
        ({"if_none_match": tagged("gzip")}, 200),
        ({"if_none_match": '"-gzip"'}, 200),
        ({"if_match": tagged("-gzip")}, 412),
        ({"if_none_match": '"x"'}, 200),
        ({"if_none_match": ETAG.strip('"')}, 200),
        ({"if_modified_since": LAST_MODIFIED}, 304),
        ({"if_modified_since": LATER}, 304),
        ({"if_modified_since": EARLIER}, 200),
        ({"if_modified_since": "yesterday"}, 200),
        ({"if_modified_since": "Sunday, 06-Nov-94 08:49:37 GMT"}, 304),
        # the entity tag decides where both are there
        ({"if_none_match": '"x"', "if_modified_since": LAST_MODIFIED}, 200),
        ({"if_none_match": ETAG, "if_modified_since": EARLIER}, 304),
        ({"if_match": ETAG}, 200),
        ({"if_match": "*"}, 200),
        ({"if_match": '"x"'}, 412),
        ({"if_match": "W/" + ETAG}, 412),
        ({"if_unmodified_since": EARLIER}, 412),
        ({"if_unmodified_since": LAST_MODIFIED}, 200),
        ({"if_unmodified_since": "nonsense"}, 200),
        ({"if_match": ETAG, "if_unmodified_since": EARLIER}, 200),
        ({"if_match": '"x"', "if_none_match": ETAG}, 412),
        ({"if_match": ETAG, "if_none_match": ETAG}, 304),
    ],
)
def test_conditions(path: Path, headers: dict[str, str], status: int) -> None:
    for method in ("GET", "HEAD"):
        line, fields, body = get(path, method, **headers)
        assert line.startswith(str(status))
        assert (fields["ETag"], fields["Last-Modified"]) == (ETAG, LAST_MODIFIED)
        assert body == (CONTENT if status == 200 and method == "GET" else b"")
        if status == 304:
            assert not [name for name in fields if name.startswith("Content-")]


def test_conditions_are_for_get_and_head(path: Path) -> None:
    assert get(path, "POST", if_none_match=ETAG, range="bytes=0-1")[::2] == ("200 OK", CONTENT)


def test_conditions_do_not_touch_another_status(path: Path) -> None:
    response = Response.file(path)
    response.status = 404
    out = io.BytesIO()
    headers = environment(HTTP_IF_NONE_MATCH="*", HTTP_RANGE="bytes=0-1")
    response.send(out, MetaVariables(headers))
    assert out.getvalue().startswith(b"Status: 404 Not Found\n")
    assert out.getvalue().endswith(b"\n\n" + CONTENT)


# --- ranges (RFC 9110 section 14) ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=2-4", 2, 4),
        ("bytes=2-", 2, 9),
        ("bytes=-3", 7, 9),
        ("bytes=-99", 0, 9),
        ("bytes=0-99", 0, 9),
        ("BYTES=9-9", 9, 9),
        ("bytes=0-999999999999999999", 0, 9),
    ],
)
def test_one_range(path: Path, wanted: str, first: int, last: int) -> None:
    status, fields, body = get(path, range=wanted)
    assert status == "206 Partial Content"
    assert fields["Content-Range"] == f"bytes {first}-{last}/10"
    assert fields["Content-Length"] == str(len(body))
    assert body == CONTENT[first : last + 1]


@pytest.mark.parametrize("wanted", ["bytes=10-", "bytes=10-12", "bytes=-0", "bytes=99-100"])
def test_a_range_that_is_not_there(path: Path, wanted: str) -> None:
    status, fields, body = get(path, range=wanted)
    assert status == "416 Range Not Satisfiable"
    assert (fields["Content-Range"], fields["Content-Length"], body) == ("bytes */10", "0", b"")


@pytest.mark.parametrize(
    "wanted",
    [
        "bytes=0-1,3-4",  # a server may answer several with the whole
        "bytes=4-2",
        "bytes=-",
        "bytes=a-b",
        "bytes=٣-٤",
        "bytes=1_0-",
        "bytes=+1-2",
        "bytes=0-1000000000000000000000",
        "bytes",
        "bytes=",
        "items=0-1",
        "",
    ],
)
def test_a_range_that_is_ignored(path: Path, wanted: str) -> None:
    status, fields, body = get(path, range=wanted)
    assert (status, body) == ("200 OK", CONTENT)
    assert "Content-Range" not in fields


def test_no_range_with_head(path: Path) -> None:
    status, fields, body = get(path, "HEAD", range="bytes=0-1")
    assert (status, fields["Content-Length"], body) == ("200 OK", "10", b"")


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        (ETAG, 206),
        ('"x"', 200),
        ("W/" + ETAG, 200),
        (tagged("-gzip"), 200),  # the client's bytes are compressed, and ours are not
        (LAST_MODIFIED, 206),
        (LATER, 200),
        ("", 206),
    ],
)
def test_if_range(path: Path, condition: str, status: int) -> None:
    assert get(path, range="bytes=0-1", if_range=condition)[0].startswith(str(status))


@pytest.mark.parametrize("seconds", [10, 3_600, 86_400])
def test_1_17_a_date_of_a_second_that_is_not_over_is_no_strong_validator(
    path: Path, seconds: int
) -> None:
    """The rest of one version after the beginning of another: both were written in one second."""
    changed = int(time.time()) + seconds  # it ends while the test runs, however slow that is
    os.utime(path, (changed, changed))
    date = format_http_date(changed)
    status, _, body = get(path, range="bytes=5-", if_range=date)
    assert (status, body) == ("200 OK", CONTENT)
    etag = get(path)[1]["ETag"]
    assert get(path, range="bytes=5-", if_range=etag)[2] == CONTENT[5:]


@pytest.mark.parametrize(
    ("now", "strong"), [(99.0, False), (100.0, False), (100.999, False), (101.0, True), (160, True)]
)
def test_a_date_is_strong_once_its_second_is_over(now: float, strong: bool) -> None:
    assert is_strong(100, now) is strong


def test_a_date_of_change_is_never_to_come(path: Path) -> None:
    """A client kept such a date, and saw no change of the file until it was over (RFC 9110 section
    8.8.2.1).
    """
    ahead = int(time.time()) + 1_000_000
    os.utime(path, (ahead, ahead))
    before = int(time.time())
    told = parse_http_date(get(path)[1]["Last-Modified"])
    assert told is not None
    assert before <= told <= time.time()
    assert get(path, if_modified_since=format_http_date(told))[0] == "200 OK"
    assert get(path, if_none_match=get(path)[1]["ETag"])[0] == "304 Not Modified"
    assert get(path, range="bytes=5-", if_range=format_http_date(told))[0] == "200 OK"


def test_a_condition_comes_before_a_range(path: Path) -> None:
    assert get(path, range="bytes=0-1", if_none_match=ETAG)[0] == "304 Not Modified"


def test_every_range_of_small_files() -> None:
    assert parse_range("bytes=0-0", 0) is None
    for size in range(1, 4):
        for first in range(6):
            for last in range(first, 6):
                chosen = parse_range(f"bytes={first}-{last}", size)
                wanted = list(range(size))[first : last + 1]
                assert chosen is not None
                assert list(range(chosen[0], chosen[0] + chosen[1])) == wanted


# --- types and names ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.png", "image/png"),
        ("a.html", "text/html"),
        ("a", "application/octet-stream"),
        ("a.unknown-kind", "application/octet-stream"),
        ("a.tar.gz", "application/octet-stream"),  # as gzip'd tar: no browser shall unpack it
    ],
)
def test_s28_types_by_name(name: str, expected: str) -> None:
    assert guess_type(name) == expected


def test_r20_a_text_file_has_a_charset(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("ü")
    assert get(tmp_path / "a.txt")[1]["Content-Type"] == "text/plain; charset=utf-8"


def test_a_download(path: Path) -> None:
    response = Response.file(path, filename="über.png", content_type="image/x-own")
    assert response.content_type == "image/x-own"
    assert response.headers["Content-Disposition"].endswith("filename*=UTF-8''%C3%BCber.png")
    response.close()


def test_x_sendfile(path: Path) -> None:
    odd = path.with_name("50% ü.bin")
    path.rename(odd)
    before = open_files()
    response = Response.file(odd, x_sendfile=True)
    assert open_files() == before
    out = io.BytesIO()
    response.send(out, MetaVariables(environment(HTTP_RANGE="bytes=0-1")))
    # percent-encoded, as mod_xsendfile and lighttpd decode it
    assert out.getvalue().decode("ascii") == (
        "Content-Type: application/octet-stream\n"
        "X-Content-Type-Options: nosniff\n"
        f"X-Sendfile: {path.parent}/50%25%20%C3%BC.bin\n\n"
    )


def test_x_accel_redirect(path: Path) -> None:
    response = Response.file(path, x_accel_redirect="/internal/ü 1%20.png")
    assert response.headers["X-Accel-Redirect"] == "/internal/%C3%BC%201%20.png"
    with pytest.raises(ValueError, match="not a valid path"):
        Response.file(path, x_accel_redirect="http://elsewhere/")


# --- other kinds of files -----------------------------------------------------------------------


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


MAKERS = {
    "missing": (lambda path: None, FileNotFoundError),
    "directory": (Path.mkdir, ValueError),  # and a FileNotFoundError, see below
    "FIFO": (os.mkfifo, ValueError),
    "device": (lambda path: path.symlink_to("/dev/zero"), ValueError),
    "socket": (make_socket, OSError),
    "broken link": (lambda path: path.symlink_to("nowhere"), FileNotFoundError),
}


@pytest.mark.parametrize("options", [{}, {"x_sendfile": True}, {"x_accel_redirect": "/x"}])
@pytest.mark.parametrize("kind", MAKERS)
def test_what_is_no_file_is_an_error_at_once(tmp_path: Path, kind: str, options: dict) -> None:
    make, error = MAKERS[kind]
    path = tmp_path / "thing"
    make(path)
    before = open_files()
    with pytest.raises(error, match="thing"):
        Response.file(path, **options)
    assert open_files() == before


#: What a visitor can make of a name, where a script puts it behind a directory of its own.
MISSING = {
    "no such file": "files/none",
    "a dangling link": "files/dangling",
    "a directory": "files",
    "nothing": "files/",
    "below a file": "files/there/below",
    "a NUL": "files/a\0b",
    "too long": "files/" + "x" * 5_000,
    "half of a surrogate pair": "files/\ud800",
}


@pytest.mark.parametrize("options", [{}, {"x_sendfile": True}, {"x_accel_redirect": "/x"}])
@pytest.mark.parametrize("kind", MISSING)
def test_a_missing_file_is_a_404_and_still_what_scripts_catch(
    tmp_path: Path, kind: str, options: dict
) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files/there").touch()
    (tmp_path / "files/dangling").symlink_to("nowhere")
    path = f"{tmp_path}/{MISSING[kind]}"
    before = open_files()
    with pytest.raises(MissingFile) as caught:
        Response.file(path, **options)
    error = caught.value
    assert isinstance(error, CGIError)
    assert isinstance(error, FileNotFoundError)
    assert (error.status, error.filename) == (404, path)
    assert error.message == "The file was not found."
    assert repr(path) in str(error)
    assert open_files() == before


def test_a_file_that_may_not_be_read_is_no_404(path: Path) -> None:
    """The site's owner is to find it. A loop of links stands for it: root may read everything."""
    loop = path.with_name("loop")
    loop.symlink_to("loop")
    with pytest.raises(OSError, match="loop") as caught:
        Response.file(loop)
    assert not isinstance(caught.value, CGIError)


def test_the_path_of_a_missing_file_is_in_the_log_only(tmp_path: Path) -> None:
    """A typed address was a 500, with a traceback in the log and an incident for the visitor."""
    code = "run(lambda request: Response.file('files/' + request.query['name']))"
    answer = run_script(tmp_path, code, QUERY_STRING="name=se%0Acret%1B.txt")
    assert (answer.status, answer.code) == (404, 0)
    assert "The file was not found." in answer.page
    assert "cret" not in answer.page
    path = f"{tmp_path}/files/se\\ncret\\x1b.txt"
    assert answer.errors == f"cgikit: 404: '{path}' cannot be sent: no such file or directory\n"
    shown = run_script(tmp_path, code, QUERY_STRING="name=secret.txt", CGIKIT_DEBUG="1")
    assert "files/secret.txt" in shown.page  # for the owner


@pytest.mark.parametrize(
    "options", [{"content_type": "a\n"}, {"filename": "a/b"}, {"x_accel_redirect": "x\n"}]
)
def test_a_bad_option_leaves_no_file_open(path: Path, options: dict[str, str]) -> None:
    before = open_files()
    with pytest.raises(ValueError, match=r"."):
        Response.file(path, **options)
    assert open_files() == before


def test_an_answer_that_cannot_be_sent_leaves_no_file_open(path: Path) -> None:
    before = open_files()
    response = Response.file(path)
    response.headers["Connection"] = "close"
    with pytest.raises(ValueError, match="only the server may send it"):
        response.send(io.BytesIO(), MetaVariables(environment()))
    assert open_files() == before


# --- while it is sent ---------------------------------------------------------------------------


def test_a_file_that_shrinks_is_an_error_and_ends_early(path: Path) -> None:
    path.write_bytes(b"x" * 600_000)
    body = iter(FileBody(path))
    got = next(body)
    os.truncate(path, 300_000)
    with pytest.raises(OSError, match="became shorter"):
        got += b"".join(body)
    assert got == b"x" * len(got)


def test_a_file_that_grows_is_sent_as_long_as_was_said(path: Path) -> None:
    body = FileBody(path)
    with path.open("ab") as file:
        file.write(b"more")
    assert b"".join(body) == CONTENT


SIZE = 3_000_008
NUMBERED = b"".join([number.to_bytes(8, "big") for number in range(SIZE // 8)])


@contextmanager
def taken(kind: str) -> Iterator[tuple[BinaryIO, bytearray]]:
    """A file to write to, and what somebody at its other end has read of it once it is closed."""
    data = bytearray()
    if kind == "pipe":
        reader, writer = os.pipe()
    else:
        reader, writer = (end.detach() for end in socket.socketpair())

    def read() -> None:
        with open(reader, "rb", buffering=0) as file:
            while piece := file.read(5_000):
                data.extend(piece)

    thread = threading.Thread(target=read)
    thread.start()
    with open(writer, "wb", buffering=0 if kind == "unbuffered" else -1) as out:
        yield out, data
        out.close()
        thread.join()


@pytest.mark.parametrize("kind", ["pipe", "socket", "unbuffered"])
@pytest.mark.parametrize(
    ("start", "length"), [(0, SIZE), (0, 0), (0, 1), (5, 1_048_576), (SIZE - 3, 3)]
)
def test_the_kernel_writes_what_iterating_gives(
    tmp_path: Path, kind: str, start: int, length: int
) -> None:
    (tmp_path / "big").write_bytes(NUMBERED)
    with taken(kind) as (out, data):
        body = FileBody(tmp_path / "big")
        body.start, body.length = start, length
        body.write_to(out)
    assert data == NUMBERED[start : start + length]
    assert body.file.closed


def test_the_kernel_does_all_of_it(path: Path) -> None:
    class Unread(FileBody):
        def __iter__(self) -> Iterator[bytes]:
            return iter(())

    with taken("pipe") as (out, data):
        body = Unread(path)
        body.write_to(out)
        body.close()
    assert data == CONTENT


def test_into_a_file(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(NUMBERED)
    with (tmp_path / "copy").open("wb") as out:
        out.write(b"before it, ")
        out.flush()
        FileBody(tmp_path / "big").write_to(out)
    assert (tmp_path / "copy").read_bytes() == b"before it, " + NUMBERED


def test_what_has_a_descriptor_and_is_more_than_that_is_written_to(path: Path) -> None:
    """The descriptor of a file that compresses is that of the file it writes to."""
    copy = path.with_name("copy.gz")
    with gzip.open(copy, "wb") as out:
        FileBody(path).write_to(out)  # type: ignore[arg-type]  # as sys.stdout.buffer may be
    assert gzip.decompress(copy.read_bytes()) == CONTENT
    out = io.BytesIO()
    FileBody(path).write_to(out)
    assert out.getvalue() == CONTENT


def test_where_the_kernel_cannot_it_is_read_and_written(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(NUMBERED)
    with (tmp_path / "copy").open("ab") as out:  # EINVAL: not into a file that is appended to
        FileBody(tmp_path / "big").write_to(out)
    assert (tmp_path / "copy").read_bytes() == NUMBERED


def test_a_file_that_has_shrunk_is_written_as_far_as_it_goes(path: Path) -> None:
    with taken("pipe") as (out, data):
        body = FileBody(path)
        os.truncate(path, 4)
        with pytest.raises(OSError, match="became shorter"):
            body.write_to(out)
    assert data == CONTENT[:4]
    assert body.file.closed


def test_a_file_that_has_grown_is_written_as_long_as_was_said(path: Path) -> None:
    with taken("pipe") as (out, data):
        body = FileBody(path)
        with path.open("ab") as file:
            file.write(b"more")
        body.write_to(out)
    assert data == CONTENT


def test_a_client_that_leaves_at_once_or_in_the_middle(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(NUMBERED)
    source = "complete = Response.file('big').send()\nprint(complete, file=sys.stderr)"
    for first in (0, 400_000):
        with start(write_script(tmp_path, source), environment()) as process:
            if first:
                process.stdout.read(first)
            process.stdout.close()
            assert process.stderr.read() == b"False\n"
        assert process.returncode == 0


def test_a_script_lets_the_kernel_send_its_file(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(NUMBERED)
    source = """
FileBody = __import__("cgikit.filebody").filebody.FileBody
FileBody.__iter__ = lambda self: iter(())  # nothing comes of reading it
Response.file("big").send()
"""
    with start(write_script(tmp_path, source), environment()) as process:
        assert process.stdout.read().partition(b"\n\n")[2] == NUMBERED


def test_a_file_that_shrinks_under_a_script_is_logged(tmp_path: Path) -> None:
    big = tmp_path / "big"
    big.write_bytes(b"x" * 3_000_000)
    script = write_script(tmp_path, "run(lambda request: Response.file('big'))")
    with start(script, environment()) as process:
        head = process.stdout.read(400)
        os.truncate(big, 0)
        rest, errors = process.communicate()
    assert b"Content-Length: 3000000\n" in head
    assert len(head) + len(rest) < 3_000_000  # the client sees that it was cut
    assert b"Status" not in rest
    assert b"OSError: the file became shorter while it was being sent" in errors
    assert process.returncode == CUT


def test_s14_a_large_file_takes_no_memory(tmp_path: Path) -> None:
    size = 256 << 20
    with (tmp_path / "big").open("wb") as file:
        file.truncate(size)
    source = """
import resource
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
before = peak()
Response.file("big").send()
print(peak() - before, file=sys.stderr)
"""
    with start(write_script(tmp_path, source), environment()) as process:
        received = 0
        while data := process.stdout.read(1 << 20):
            received += len(data)
        errors = process.stderr.read()
    assert received > size
    assert int(errors) <= 8  # MiB


# --- behind servers that compress ---------------------------------------------------------------

HTTPD = """
{load}
{user}
ServerName localhost
Listen 127.0.0.1:PORT
PidFile {root}/httpd.pid
ErrorLog {root}/error.log
DefaultRuntimeDir {root}
SetOutputFilter {filter}
ProxyPass "/" "http://127.0.0.1:{port}/"
"""


@pytest.mark.parametrize(
    ("kind", "coding", "suffix"),
    [("DEFLATE", "gzip", '-gzip"'), ("BROTLI_COMPRESS", "br", '-br"')],
)
def test_the_etag_that_httpd_made_of_ours_is_known_again(
    tmp_path: Path, kind: str, coding: str, suffix: str
) -> None:
    """Whoever had a compressed copy never got a 304: httpd adds the name of the coding to the tag."""
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "page.css").write_text("p { color: red }\n" * 500)
    (scripts / "style.py").write_text(
        "#!/usr/bin/env python3\nfrom cgikit import Response, run\n"
        "run(lambda request: Response.file('page.css'))\n"
    )
    (scripts / "style.py").chmod(0o755)
    modules = ("mpm_event", "authz_core", "proxy", "proxy_http", "filter", "deflate", "brotli")
    place = "/usr/lib/apache2/modules"
    load = "\n".join(f"LoadModule {each}_module {place}/mod_{each}.so" for each in modules)
    user = "User www-data\nGroup www-data" if os.geteuid() == 0 else ""
    with serve(scripts) as behind:
        text = HTTPD.format(load=load, user=user, root=tmp_path, filter=kind, port=behind.port)
        file = tmp_path / "httpd.conf"
        with server(need("apache2"), "-DFOREGROUND -f", file, text) as (_, port):
            url, asked = f"http://127.0.0.1:{port}/style.py", ("-H", f"Accept-Encoding: {coding}")
            first = curl(url, *asked)
            assert (first.status, first.header("Content-Encoding")) == (200, coding)
            assert first.header("ETag").endswith(suffix)
            again = curl(url, *asked, "-H", f"If-None-Match: {first.header('ETag')}")
            assert (again.status, again.body) == (304, b"")
            since = ("-H", f"If-None-Match: {again.header('ETag')}")  # as httpd hands it on
            assert curl(url, *asked, *since).status == 304
            (scripts / "page.css").write_text("p { color: blue }\n" * 500)
            assert curl(url, *asked, *since).status == 200
