"""Bodies: long ones, slow ones, unread ones, broken ones; and clients that go away."""

import contextlib
import hashlib
import os
import re
import select
import signal
import time
from pathlib import Path
from random import Random
from socket import SHUT_WR

import pytest
from child import environment
from corpus import DATA
from persisting import application
from serving import DEADLINE, until
from torture import size

from cgikit.gateway.fastcgi import ABORT_REQUEST, GET_VALUES, PARAMS, STDIN, build_variables
from cgikit.gateway.fastcgiclient import (
    Ended,
    Output,
    Values,
    encode_begin,
    encode_record,
    encode_request,
)

READING = """
import hashlib, resource
def read(request):
    seen = hashlib.sha256()
    while data := request.stream.read(50_000):
        seen.update(data)
    return f"{seen.hexdigest()} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}"
def page(request):
    if request.path_info == "/ignore":
        return "x" * 300_000
    if request.path_info == "/early":
        return Response.stream(str(n) for n in range(3))
    return read(request)
run(page, limits=Limits(body=1 << 30))
"""

#: Endless answers: the file says how the generator ended.
ENDLESS = """
import time
def endless():
    try:
        while True:
            yield b"x" * 1_000
            time.sleep(0.001)
    finally:
        open("ended", "a").write("closed\\n")
run(lambda request: Response.stream(endless()) if request.path_info == "/endless" else "next")
"""

#: Waits that are short enough to be waited for.
IMPATIENT = "import cgikit.persistent.connection as c\nc._SILENCE, c._DRAINED = 1, 1\n"


def post(path: str, length: int) -> dict[str, str]:
    return {"REQUEST_METHOD": "POST", "PATH_INFO": path, "CONTENT_LENGTH": str(length)}


def head(keep: bool = False, **variables: str) -> bytes:
    """The beginning of a request, its body to follow."""
    whole = encode_request(environment(**variables), b"", keep)
    return whole.removesuffix(encode_record(STDIN, 1))


def test_a_hundred_megabytes_take_no_memory(tmp_path: Path) -> None:
    """S14: what comes is handed on, in whatever records."""
    piece = b"".join(encode_record(STDIN, 1, b"x" * size) for size in (8_000, 1, 65_535, 8_184))
    content = 8_000 + 1 + 65_535 + 8_184
    count = 104_857_600 // content + 1
    with application(tmp_path, READING) as app:
        small = int(app.ask(b"x", **post("/read", 1)).page.split()[1])
        with app.connect() as peer:
            peer.send(head(**post("/read", count * content)))
            for _ in range(count):
                peer.send(piece)
            peer.send(encode_record(STDIN, 1))
            digest, large = peer.answer().page.split()
    expected = hashlib.sha256()
    for _ in range(count):
        expected.update(b"x" * content)
    assert digest == expected.hexdigest()
    assert int(large) - small < 8_192  # KiB


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("path", ["/ignore", "/early"])
def test_a_body_that_nobody_reads(tmp_path: Path, path: str, keep: bool) -> None:
    """The server sends all of it before it reads, as some do, and the answer is long as well."""
    body = b"y" * (20_000_000 if path == "/ignore" else 60_000)
    with application(tmp_path, READING) as app, app.connect() as peer:
        peer.request(body, keep, **post(path, len(body)))
        assert peer.answer().page == ("x" * 300_000 if path == "/ignore" else "012")
        assert peer.ended == Ended(1, 0, 0)
        if not keep:
            assert peer.is_closed()
            return
        peer.request(b"z", **post("/read", 1))
        assert peer.answer().page.startswith(hashlib.sha256(b"z").hexdigest())


def test_a_body_that_ends_early_is_an_error_of_the_request(tmp_path: Path) -> None:
    with application(tmp_path, READING) as app:
        with app.connect() as peer:
            peer.send(head(**post("/read", 1_000)) + encode_record(STDIN, 1, b"abc"))
            peer.socket.shutdown(1)
            peer.answer()
        with app.connect() as peer:
            peer.request(b"abc", **post("/read", 1_000))
            assert peer.answer().status == 400
        assert app.ask(b"x", **post("/read", 1)).status == 200
        assert app.logged() == ""


def test_a_body_that_does_not_come_is_waited_for_and_given_up(tmp_path: Path) -> None:
    """S18: slow clients have deadlines."""
    with application(tmp_path, IMPATIENT + READING) as app, app.connect() as peer:
        peer.send(head(**post("/read", 1_000)) + encode_record(STDIN, 1, b"abc"))
        answer = peer.answer()
        assert (answer.status, "the body came too slowly" in answer.page) == (408, True)
        assert app.ask(b"x", **post("/read", 1)).status == 200


def test_a_body_that_comes_byte_by_byte_for_ever_is_given_up(tmp_path: Path) -> None:
    with application(tmp_path, IMPATIENT + READING) as app, app.connect() as peer:
        peer.send(head(**post("/read", 1_000_000)))
        began = time.monotonic()
        try:
            while time.monotonic() - began < 30:
                peer.send(encode_record(STDIN, 1, b"a"))
                peer.socket.settimeout(0.05)
                try:
                    events = peer.events()
                    break
                except TimeoutError:
                    continue
        except BrokenPipeError:  # answered and closed since the last look
            peer.socket.settimeout(DEADLINE)
            events = peer.events()
        assert isinstance(events[0], Output)
        assert events[0].data.startswith(b"Status: 408 ")


def test_an_answer_that_nobody_takes_is_given_up(tmp_path: Path) -> None:
    code = IMPATIENT + "run(lambda request: 'x' * 20_000_000 if request.query else 'next')"
    with application(tmp_path, code) as app, app.connect() as peer:
        peer.request(QUERY_STRING="a=b")
        assert app.ask().page == "next"


@pytest.mark.parametrize("keep", [False, True])
def test_an_abort_ends_the_answer(tmp_path: Path, keep: bool) -> None:
    with application(tmp_path, ENDLESS) as app, app.connect() as peer:
        peer.request(keep=keep, PATH_INFO="/endless")
        assert isinstance(peer.events()[0], Output)
        peer.send(encode_record(ABORT_REQUEST, 1))
        peer.answer()
        assert peer.ended == Ended(1, 0, 0)
        assert until((tmp_path / "ended").exists)
        if keep:
            peer.request(keep=True, PATH_INFO="/")
            assert peer.answer().page == "next"
        else:
            assert peer.is_closed()


def test_a_server_that_goes_away_ends_the_answer(tmp_path: Path) -> None:
    with application(tmp_path, ENDLESS) as app:
        with app.connect() as peer:
            peer.request(PATH_INFO="/endless")
            peer.events()
        assert until((tmp_path / "ended").exists)
        assert app.ask(PATH_INFO="/").page == "next"
        assert app.logged() == ""


def test_an_abort_that_comes_with_the_request_is_answered_and_nothing_is_run(
    tmp_path: Path,
) -> None:
    with application(tmp_path, ENDLESS) as app, app.connect() as peer:
        peer.send(
            encode_request(environment(PATH_INFO="/endless"), b"") + encode_record(ABORT_REQUEST, 1)
        )
        assert peer.answer().output == b""
        assert peer.ended == Ended(1, 0, 0)
        assert not (tmp_path / "ended").exists()


GARBAGE = [
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    encode_begin() + encode_record(PARAMS, 1, b"\xff"),
    encode_begin() + encode_record(PARAMS, 1, b"\x01\x02A\0B") + encode_record(PARAMS, 1),
    encode_begin() * 2,
    bytes(range(256)) * 40,
]


def test_what_is_no_fastcgi_closes_the_connection_and_nothing_else(tmp_path: Path) -> None:
    with application(tmp_path, READING) as app:
        for place, garbage in enumerate(GARBAGE):
            with app.connect() as peer:
                peer.send(garbage)
                if place == 1:
                    peer.send(encode_record(PARAMS, 1))
                assert peer.is_closed()
            assert app.ask(b"x", **post("/read", 1)).status == 200
        lines = app.logged().splitlines()
        assert len(lines) == len(GARBAGE)
        assert all(re.match("cgikit: a connection was closed: ", line) for line in lines)


def damaged(raw: bytes, random: Random) -> bytes:
    """A request with some bytes changed, cut out, or repeated."""
    data = bytearray(raw)
    for _ in range(random.randint(0, 4)):
        at = random.randrange(len(data))
        kind = random.randrange(4)
        if kind == 0:
            data[at] = random.choice((0, 1, 2, 127, 128, 255))
        elif kind == 1 and len(data) > 50:
            del data[at : at + random.randint(1, 20)]
        elif kind == 2:
            data[at:at] = data[: random.randint(1, 60)]
        else:
            data += encode_record(
                random.randrange(13), random.randrange(3), b"x" * random.randrange(20)
            )
    return bytes(data)


def test_hostile_connections_leave_nothing_behind(tmp_path: Path) -> None:
    """Real requests of four servers, damaged: no descriptor, no memory, no process is lost."""
    random = Random(1996)
    corpus = [path.read_bytes() for path in sorted((DATA / "fastcgi").glob("*-*.in"))]
    with application(tmp_path, IMPATIENT + READING, CGIKIT_WORKERS="1") as app:
        app.ask(b"x", **post("/read", 1))
        (worker,) = app.children()
        before = len(os.listdir(f"/proc/{worker}/fd"))
        for _ in range(size("hostile connections")):
            with contextlib.suppress(BrokenPipeError, ConnectionResetError), app.connect() as peer:
                peer.send(damaged(random.choice(corpus), random))
                peer.socket.shutdown(SHUT_WR)
                while peer.socket.recv(65_536):
                    pass
        assert app.ask(b"x", **post("/read", 1)).status == 200
        assert app.children() == [worker]
        assert until(lambda: len(os.listdir(f"/proc/{worker}/fd")) <= before)
        assert "Traceback" not in app.logged()


def test_garbage_in_the_body_is_a_request_that_broke_off(tmp_path: Path) -> None:
    with application(tmp_path, READING) as app, app.connect() as peer:
        peer.send(head(**post("/read", 1_000)) + b"\0" * 100)
        assert peer.is_closed()
        assert app.ask(b"x", **post("/read", 1)).status == 200


def test_questions_and_other_roles_are_answered(tmp_path: Path) -> None:
    with application(tmp_path, READING) as app:
        with app.connect() as peer:
            peer.send(encode_record(GET_VALUES, 0, build_variables({"FCGI_MPXS_CONNS": ""})))
            assert peer.events() == [Values(0, {"FCGI_MPXS_CONNS": "0"})]
            peer.request(b"x", **post("/read", 1))
            assert peer.answer().status == 200
        with app.connect() as peer:
            peer.send(encode_begin(1, False, 3))
            assert peer.events() == [Ended(1, 0, 3)]
            assert peer.is_closed()


def test_a_second_request_meanwhile_is_refused(tmp_path: Path) -> None:
    with application(tmp_path, READING) as app, app.connect() as peer:
        peer.send(head(**post("/read", 3)) + encode_begin(2))
        assert peer.events() == [Ended(2, 0, 1)]
        peer.send(encode_record(STDIN, 1, b"abc") + encode_record(STDIN, 1))
        assert peer.answer().status == 200


def test_records_in_pieces_of_one_byte(tmp_path: Path) -> None:
    raw = encode_request(environment(**post("/read", 5)), b"hello")
    with application(tmp_path, READING) as app:
        expected = app.ask(b"hello", **post("/read", 5)).page.split()[0]
        with app.connect() as peer:
            for byte in raw:
                peer.send(bytes((byte,)))
            assert peer.answer().page.split()[0] == expected


# --- what is left of a body, and who waits for it -----------------------------------------------

#: No wait ends by itself while a test lasts: whoever is made to wait fails it.
PATIENT = "import cgikit.persistent.connection as c\nc._SILENCE = c._DRAINED = 600\n"


@pytest.mark.parametrize("path", ["/ignore", "/early"])
def test_a_body_that_nobody_reads_keeps_nobody_waiting(tmp_path: Path, path: str) -> None:
    """All others waited up to a minute for a body that did not come, and the next request was lost."""
    page = "x" * 300_000 if path == "/ignore" else "012"
    with application(tmp_path, PATIENT + READING) as app, app.connect() as peer:
        peer.send(head(True, **post(path, 200_000)) + encode_record(STDIN, 1, b"x" * 50_000))
        for _ in range(3):
            assert app.ask(PATH_INFO="/early").page == "012"
        for _ in range(3):
            peer.send(encode_record(STDIN, 1, b"x" * 50_000))
        peer.send(encode_record(STDIN, 1))
        assert peer.answer().page == page
        peer.request(b"z", True, **post("/read", 1))
        assert peer.answer().page.startswith(hashlib.sha256(b"z").hexdigest())


@pytest.mark.parametrize("path", ["/early", "/read"])
@pytest.mark.parametrize("keep", [True, False])
def test_an_end_of_the_body_that_comes_late_takes_no_request_with_it(
    tmp_path: Path, path: str, keep: bool
) -> None:
    """The empty record of a GET came after the answer, and the request behind it was thrown away."""
    with application(tmp_path, PATIENT + READING) as app, app.connect() as peer:
        peer.send(head(keep, PATH_INFO=path))
        assert peer.answer().status == 200
        assert peer.ended == Ended(1, 0, 0)
        end = encode_record(STDIN, 1)
        if not keep:
            assert peer.is_closed()
            return
        peer.send(end + encode_request(environment(PATH_INFO="/early"), b"", True))
        assert peer.answer().page == "012"
        peer.request(PATH_INFO="/early")
        assert peer.answer().page == "012"


def test_an_answer_comes_though_its_body_does_not(tmp_path: Path) -> None:
    with application(tmp_path, IMPATIENT + READING) as app, app.connect() as peer:
        peer.send(head(**post("/ignore", 200_000)) + encode_record(STDIN, 1, b"x" * 50_000))
        assert peer.answer().page == "x" * 300_000
        assert peer.ended == Ended(1, 0, 0)
        assert peer.is_closed()
        assert app.ask(PATH_INFO="/early").page == "012"


#: Answers before it has read the body, and says so in a file.
LATE = """
import hashlib, os
def page(request):
    if request.path_info == "/logging":
        for _ in range(1_000):
            print("x" * 10_000, file=sys.stderr)
        yield hashlib.sha256(request.body).hexdigest()
        return
    yield "y" * int(request.query.get("before", "1"))
    open("begun", "w").close()
    if request.path_info == "/broken":
        raise RuntimeError("while nothing is out")
    seen = hashlib.sha256()
    while data := request.stream.read(50_000):
        seen.update(data)
    yield seen.hexdigest()
run(lambda request: Response.stream(page(request)), limits=Limits(body=1 << 30, memory=1 << 30))
"""


def test_nothing_of_an_answer_goes_out_before_the_body_is_in(tmp_path: Path) -> None:
    """nginx sends no more of a body once it has seen a header."""
    body = os.urandom(900_000)
    with application(tmp_path, LATE) as app, app.connect() as peer:
        records = [
            encode_record(STDIN, 1, body[at : at + 9_000]) for at in range(0, len(body), 9_000)
        ]
        peer.send(head(**post("/", len(body))) + records[0])
        assert until((tmp_path / "begun").exists)
        for record in records[1:]:
            assert select.select([peer.socket], [], [], 0)[0] == []
            peer.send(record)
        peer.send(encode_record(STDIN, 1))
        assert peer.answer().page == "y" + hashlib.sha256(body).hexdigest()


def test_a_long_answer_and_a_long_body_pass_one_another(tmp_path: Path) -> None:
    """The peer sends all before it reads anything, and the handler reads last."""
    body = os.urandom(20_000_000)
    with application(tmp_path, LATE) as app, app.connect() as peer:
        peer.request(body, **post("/", len(body)), QUERY_STRING="before=90000000")
        answer = peer.answer()
    assert answer.body[:90_000_000].strip(b"y") == b""
    assert answer.body[90_000_000:].decode() == hashlib.sha256(body).hexdigest()


def test_s26_much_in_the_log_while_the_body_is_being_sent(tmp_path: Path) -> None:
    body = os.urandom(20_000_000)
    with application(tmp_path, LATE, CGIKIT_STDERR="server") as app, app.connect() as peer:
        peer.request(body, **post("/logging", len(body)))
        answer = peer.answer()
    assert answer.page == hashlib.sha256(body).hexdigest()
    assert len(answer.errors) == 1_000 * 10_001


def test_an_answer_that_fails_while_it_is_held_back_is_a_clean_error_page(tmp_path: Path) -> None:
    with application(tmp_path, LATE, CGIKIT_STDERR="server") as app, app.connect() as peer:
        peer.send(head(**post("/broken", 10)))
        assert until((tmp_path / "begun").exists)
        peer.send(encode_record(STDIN, 1, b"0123456789") + encode_record(STDIN, 1))
        answer = peer.answer()
    assert answer.output.startswith(b"Status: 500 ")
    assert peer.ended == Ended(1, 0, 0)
    assert "RuntimeError: while nothing is out" in answer.errors


def test_a_body_for_which_there_is_no_room_is_an_error(tmp_path: Path) -> None:
    body = bytes(5_000_000)
    with application(tmp_path, LATE, TMPDIR=str(tmp_path / "missing")) as app:
        with app.connect() as peer:
            # An answer that cannot wait there either: all of the body is taken before it goes out.
            peer.request(body, **post("/", len(body)), QUERY_STRING="before=1000000")
            cut = peer.answer()
            assert peer.ended is None
        unknown = app.ask(body, REQUEST_METHOD="POST", PATH_INFO="/logging")
        for answer in (cut, unknown):
            assert answer.errors == ""
        assert unknown.status == 503
        assert app.logged().count("the server has no room for the body") == 2
        assert (
            f"a request's body cannot be stored in {tmp_path}/missing: No such file" in app.logged()
        )
        assert app.ask(b"x", **post("/", 1)).status == 200


def test_an_answer_that_is_taken_slowly_keeps_nobody_waiting(tmp_path: Path) -> None:
    code = PATIENT + "run(lambda request: 'x' * 20_000_000 if request.query else 'next')"
    with application(tmp_path, code) as app, app.connect() as peer:
        peer.request(keep=True, QUERY_STRING="a=b")
        for _ in range(3):
            assert app.ask().page == "next"
        assert peer.answer().page == "x" * 20_000_000
        peer.request()
        assert peer.answer().page == "next"
        assert peer.is_closed()


def test_an_answer_on_its_way_arrives_before_the_end(tmp_path: Path) -> None:
    code = PATIENT + "run(lambda request: 'x' * 20_000_000)"
    with application(tmp_path, code) as app, app.connect() as peer:
        peer.request(keep=True)
        first = peer.socket.recv(1)  # so it was answered
        app.process.send_signal(signal.SIGTERM)
        peer.responses.receive(first)
        assert peer.answer().page == "x" * 20_000_000
        assert peer.is_closed()
        assert app.process.wait(DEADLINE) == 0


# --- bodies of unknown length -------------------------------------------------------------------


@pytest.mark.parametrize("length", ["", "-1"])
@pytest.mark.parametrize("size", [0, 1, 100_000, 3_000_000])
def test_a_body_without_a_length_is_gathered(tmp_path: Path, length: str, size: int) -> None:
    """httpd sends none above 16 KB, Caddy never; that was 411 and 400, or an empty body."""
    body = os.urandom(size)
    code = """
import hashlib
run(lambda request: f"{request.content_length} {hashlib.sha256(request.body).hexdigest()}")
"""
    chunked = {
        "REQUEST_METHOD": "PUT",
        "CONTENT_LENGTH": length,
        "HTTP_TRANSFER_ENCODING": "chunked",
    }
    with application(tmp_path, code) as app:
        assert app.ask(body, **chunked).page == f"{size} {hashlib.sha256(body).hexdigest()}"
        del chunked["HTTP_TRANSFER_ENCODING"]
        assert app.ask(body, **chunked).page == f"{size} {hashlib.sha256(body).hexdigest()}"


def test_a_body_without_a_length_has_a_limit(tmp_path: Path) -> None:
    code = (
        "run(lambda request: request.query.get('a') or request.text(), limits=Limits(body=100_000))"
    )
    chunked = {"REQUEST_METHOD": "POST", "HTTP_TRANSFER_ENCODING": "chunked"}
    with application(tmp_path, code) as app:
        assert app.ask(b"x" * 100_000, **chunked).page == "x" * 100_000
        assert app.ask(b"x" * 100_001, **chunked).status == 413
        assert app.ask(b"x" * 9_000_000, **chunked).status == 413
        assert app.ask(b"x" * 9_000_000, **chunked, QUERY_STRING="a=unread").page == "unread"


def test_a_body_without_a_length_that_comes_slowly_keeps_nobody_waiting(tmp_path: Path) -> None:
    code = PATIENT + "run(lambda request: request.text())"
    with application(tmp_path, code) as app, app.connect() as peer:
        for piece in (b"abc", b"def"):
            peer.send(head(REQUEST_METHOD="POST") if piece == b"abc" else b"")
            peer.send(encode_record(STDIN, 1, piece))
            assert app.ask(b"x", REQUEST_METHOD="POST", CONTENT_LENGTH="1").page == "x"
        peer.send(encode_record(STDIN, 1))
        assert peer.answer().page == "abcdef"


def test_a_body_without_a_length_that_does_not_come_is_given_up(tmp_path: Path) -> None:
    code = IMPATIENT + "run(lambda request: request.text())"
    with application(tmp_path, code) as app, app.connect() as peer:
        peer.send(head(REQUEST_METHOD="POST") + encode_record(STDIN, 1, b"abc"))
        assert peer.answer().status == 408
        assert peer.is_closed()
        assert app.ask(b"x", REQUEST_METHOD="POST", CONTENT_LENGTH="1").page == "x"


def test_no_body_of_a_get_is_waited_for(tmp_path: Path) -> None:
    code = PATIENT + "run(lambda request: 'x')"
    with application(tmp_path, code) as app, app.connect() as peer:
        peer.send(head())
        assert peer.answer().page == "x"
