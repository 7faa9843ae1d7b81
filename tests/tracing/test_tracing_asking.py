"""One request over FastCGI: what is read, and every way in which an answer can fail to come."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cgikit.gateway.fastcgi import END_REQUEST, STDOUT
from cgikit.gateway.fastcgiclient import encode_record
from cgikit.tracing import asking
from cgikit.tracing.asking import Asked, Unanswered, ask

END = encode_record(END_REQUEST, 1, bytes(8))


@contextmanager
def application(place: Path, answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """Something that answers one request, in a thread."""
    address = str(place / "s")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65_536)
                answer(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield address
        finally:
            thread.join(60)


def test_the_times_and_the_size_of_an_answer(tmp_path: Path) -> None:
    def answer(connection: socket.socket) -> None:
        connection.sendall(encode_record(STDOUT, 1, b"abc") + encode_record(STDOUT, 1, b"de") + END)

    with application(tmp_path, answer) as address:
        found = ask(address, {"REQUEST_METHOD": "GET"}, b"", 60)
    assert 0 < found.first <= found.total
    assert (found.size, found.head, found.exit_status) == (5, b"abcde", 0)


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"", 200),
        (b"Content-Type: text/plain\r\nstatus: 503 Busy\r\n\r\n", 503),
        (b"Status:404\nX: y\n\n", 404),
        (b"Content-Type: text/plain\n\nStatus: 500\n", 200),
        (b"Status: 5000\n\n", 200),
    ],
)
def test_the_status_is_that_of_the_header_block(head: bytes, status: int) -> None:
    asked = Asked()
    asked.head = head
    assert asked.status == status


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "the answer was cut"),
        (encode_record(STDOUT, 1, b"abc"), "the answer was cut"),
        (b"GET / HTTP/1.1\r\n\r\n", "is not valid FastCGI"),
        (encode_record(END_REQUEST, 1, bytes((0, 0, 0, 0, 2, 0, 0, 0))), "was refused"),
    ],
)
def test_an_answer_that_is_none(tmp_path: Path, data: bytes, words: str) -> None:
    with (
        application(tmp_path, lambda connection: connection.sendall(data)) as address,
        pytest.raises(Unanswered, match=words),
    ):
        ask(address, {}, b"", 60)


def test_one_that_does_not_come(tmp_path: Path) -> None:
    over = threading.Event()
    with application(tmp_path, lambda connection: over.wait(60) and None) as address:
        with pytest.raises(Unanswered, match=r"did not answer within 0\.1 seconds"):
            ask(address, {}, b"", 0.1)
        over.set()


def test_one_without_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "MAX_OUTPUT", 1 << 20)

    def answer(connection: socket.socket) -> None:
        try:
            while True:
                connection.sendall(encode_record(STDOUT, 1, b"x" * 60_000))
        except OSError:
            pass  # this is what the other side does

    with application(tmp_path, answer) as address, pytest.raises(Unanswered, match="1 MiB"):
        ask(address, {}, b"", 60)


def test_where_nobody_listens(tmp_path: Path) -> None:
    with pytest.raises(Unanswered, match="the connection broke: No such file"):
        ask(str(tmp_path / "none"), {}, b"", 60)
