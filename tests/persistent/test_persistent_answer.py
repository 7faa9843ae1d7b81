"""One request answered on a connection: what goes out, what ends it, and what is never repeated."""

import io
import os
import socket
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import pytest
from child import environment

from cgikit import HTTPError, Limits, Request, Response, StateError
from cgikit.gateway.fastcgiclient import Ended, Errors, Output, Responses, encode_request
from cgikit.persistent.answer import Answerer
from cgikit.persistent.connection import PersistentConnection
from cgikit.script import respond

Handler = Callable[[Request], Response]


class Answer(NamedTuple):
    """What the web server got: everything on standard output, and whether an end came."""

    output: bytes
    ended: bool
    closed: bool

    @property
    def page(self) -> bytes:
        """What follows the header."""
        return self.output.partition(b"\n\n")[2]


def options(**more: object) -> dict[str, object]:
    return {"limits": Limits(), "errors": "replace", "charset": "utf-8"} | more


def ask(
    handler: Handler,
    body: bytes = b"",
    debug: bool | None = None,
    options: dict[str, object] = options(),  # noqa: B008
    **variables: str,
) -> Answer:
    """Have a request answered on a connection of its own."""
    server, ours = socket.socketpair()
    with server, ours:
        connection = PersistentConnection(ours)
        given = environment(**{"CONTENT_LENGTH": str(len(body) or ""), **variables})
        server.sendall(encode_request(given, body))
        events = connection.look()
        assert events
        connection.begin(1, events[1:], events[0].variables)
        Answerer(handler, options, debug)(connection.variables, connection)
        closed = connection.closed
        ours.shutdown(socket.SHUT_WR)
        data = b""
        while piece := server.recv(65_536):
            data += piece
        found = Responses().receive(data)
    output = b"".join(event.data for event in found if isinstance(event, Output))
    assert not [event for event in found if isinstance(event, Errors)]
    return Answer(output, any(isinstance(event, Ended) for event in found), closed)


def test_what_the_handler_returns_is_sent_whole() -> None:
    got = ask(lambda _: Response.text("Hello"))
    assert got.output == (b"Content-Type: text/plain; charset=utf-8\nContent-Length: 5\n\nHello")
    assert (got.ended, got.closed) == (True, False)


def test_a_stream_is_sent_to_its_end_and_closed() -> None:
    ended = []

    def pieces():
        try:
            yield "a"
            yield "b"
        finally:
            ended.append(True)

    got = ask(lambda _: Response.stream(pieces()))
    assert (got.page, got.ended, ended) == (b"ab", True, [True])


def test_a_body_that_is_not_read_to_its_end_is_closed() -> None:
    closed = []

    class Pieces:
        def __iter__(self):
            return iter(["ab"])

        def close(self) -> None:
            closed.append(True)

    assert ask(lambda _: Response(Pieces())).page == b"ab"
    assert closed == [True]


def test_head_gets_no_body() -> None:
    got = ask(lambda _: Response.text("Hello"), REQUEST_METHOD="HEAD")
    assert got.output.endswith(b"Content-Length: 5\n\n")


def test_the_server_reads_a_header_of_a_script_named_nph() -> None:
    got = ask(lambda _: Response.text("a"), SCRIPT_NAME="/nph-x.py")
    assert got.output.startswith(b"Content-Type: ")


def test_the_variables_are_text_as_in_an_environment() -> None:
    """Bytes that are not UTF-8 come as surrogates: `Request` makes U+FFFD of them."""
    got = ask(lambda r: Response.text(r.query["a"]), QUERY_STRING="a=%C3%A4")
    assert got.page == "ä".encode()


@pytest.mark.parametrize(("method", "status"), [("GET", b"302 Found"), ("POST", b"303 See Other")])
def test_a_local_redirect_goes_to_the_client(method: str, status: bytes) -> None:
    got = ask(lambda _: Response.local_redirect("/there"), REQUEST_METHOD=method)
    assert got.output.startswith(b"Status: " + status + b"\n")
    assert b"\nLocation: /there\n" in got.output


def test_an_error_of_the_handler_is_a_page_and_an_entry_in_the_log(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def handler(_: Request) -> Response:
        raise ZeroDivisionError("secret")

    got = ask(handler)
    assert got.output.startswith(b"Status: 500 Internal Server Error\n")
    assert b"secret" not in got.output
    assert "ZeroDivisionError: secret" in capsys.readouterr().err
    assert (got.ended, got.closed) == (True, False)


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit()])
def test_no_exception_of_the_handler_ends_the_process(
    error: BaseException, capsys: pytest.CaptureFixture[str]
) -> None:
    def handler(_: Request) -> Response:
        raise error

    assert ask(handler).output.startswith(b"Status: 500 ")
    assert type(error).__name__ in capsys.readouterr().err


def test_an_error_of_http_is_its_own_page() -> None:
    def handler(_: Request) -> Response:
        raise HTTPError(404, "There is no such page.")

    got = ask(handler)
    assert got.output.startswith(b"Status: 404 Not Found\n")
    assert b"There is no such page." in got.page


def test_an_error_page_that_cannot_be_sent_becomes_another(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def handler(_: Request) -> Response:
        raise HTTPError(404, "gone", headers=(("Connection", "close"),))

    got = ask(handler)
    assert got.output.startswith(b"Status: 500 ")
    assert "only the server may send it" in capsys.readouterr().err
    assert got.ended


def test_debug_is_asked_of_the_process_and_never_of_the_request(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def handler(_: Request) -> Response:
        raise ZeroDivisionError("visible")

    monkeypatch.delenv("CGIKIT_DEBUG", raising=False)
    assert b"visible" not in ask(handler, CGIKIT_DEBUG="1").output
    assert b"visible" in ask(handler, debug=True).output
    monkeypatch.setenv("CGIKIT_DEBUG", "1")
    assert b"visible" in ask(handler).output
    assert b"visible" not in ask(handler, debug=False).output
    assert capsys.readouterr().err.count("ZeroDivisionError: visible\n") == 4


def test_an_answer_that_breaks_off_has_no_end_and_closes_the_connection(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def pieces():
        yield "a part"
        raise ZeroDivisionError

    got = ask(lambda _: Response.stream(pieces()))
    assert (got.page, got.ended, got.closed) == (b"a part", False, True)
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_an_error_after_the_announced_length_is_only_logged(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def pieces():
        yield "whole"
        raise ZeroDivisionError

    def handler(_: Request) -> Response:
        response = Response.stream(pieces())
        response.headers["Content-Length"] = "5"
        return response

    got = ask(handler)
    assert (got.page, got.ended, got.closed) == (b"whole", True, False)
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_a_response_that_was_sent_is_not_sent_to_another(
    capsys: pytest.CaptureFixture[str],
) -> None:
    kept = Response.text("mine")
    answering = partial(respond, lambda _: kept)
    assert ask(answering).page == b"mine"
    assert ask(answering).output.startswith(b"Status: 500 ")
    assert "was used before" in capsys.readouterr().err
    with pytest.raises(StateError, match="sent already"):
        kept.send(io.BytesIO(), Request({}))


def test_the_request_is_closed_and_an_error_in_that_hurts_nobody(
    capsys: pytest.CaptureFixture[str],
) -> None:
    closed = []

    def handler(request: Request) -> Response:
        def close() -> None:
            closed.append(request)
            raise OSError("closing failed")

        request.close = close  # type: ignore[method-assign]
        return Response.text("out")

    got = ask(handler)
    assert (got.page, got.ended, len(closed)) == (b"out", True, 1)
    assert "OSError: closing failed" in capsys.readouterr().err


def test_nothing_is_made_for_a_client_that_has_gone() -> None:
    made = []

    def pieces(connection: PersistentConnection):
        for number in range(3):
            made.append(number)
            connection.gone = number == 1
            yield str(number)

    server, ours = socket.socketpair()
    with server, ours:
        connection = PersistentConnection(ours)
        server.sendall(encode_request(environment(), b""))
        events = connection.look()
        assert events
        connection.begin(1, events[1:], events[0].variables)
        answerer = Answerer(lambda _: Response.stream(pieces(connection)), options(), None)
        answerer(connection.variables, connection)
    assert made == [0, 1]


@pytest.mark.parametrize("where", ["handler", "body"])
def test_a_process_that_was_forked_answers_nothing(
    where: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """In it the answer raises, which ends it; the parent's answer is the only one."""
    own = os.getpid()
    ends: list[int] = []

    def fork(connection: PersistentConnection) -> None:
        child = os.fork()
        if not child:
            connection.disown()  # the worker does this
        else:
            ends.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

    def handler(request: Request) -> Response:
        if where == "body":
            return Response.stream(pieces(request))
        fork(request._source[1])  # type: ignore[arg-type]
        if os.getpid() != own:
            raise SystemExit(0)
        return Response.text("ab")

    def pieces(request: Request):
        yield "a"
        fork(request._source[1])  # type: ignore[arg-type]
        yield "b"

    status = 9
    try:
        got = ask(handler)
    except SystemExit as error:
        status = 7 if error.code == 0 else 8
    finally:
        if os.getpid() != own:
            os._exit(status)
    assert (ends, capfd.readouterr().err) == ([7], "")
    assert (got.page, got.ended) == (b"ab", True)
