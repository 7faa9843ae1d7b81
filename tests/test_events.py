"""Server-sent events: what an event looks like on its way, and what a client makes of it."""

import io
import sys
import urllib.request
from collections import ChainMap
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from child import DEADLINE, environment, write_script
from hypothesis import given
from hypothesis import strategies as st
from serving import serve, until

from cgikit import BadRequest, Request, Response, StateError
from cgikit.events import MAX_ID, MAX_RETRY, build, last_event_id


def request(**variables: str) -> Request:
    return Request(environment(**variables))


class Client:
    """An EventSource: section 9.2.6 of the HTML standard, in the words of the standard."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, str]] = []  # type, data, the id at that time
        self.comments = 0
        self.last_id = ""
        self.retry: int | None = None
        self._data = self._type = ""

    def receive(self, stream: bytes) -> None:
        text = stream.decode("utf-8").removeprefix("\ufeff")
        for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")[:-1]:
            if not line:
                self.dispatch()
            elif line.startswith(":"):
                self.comments += 1
            else:
                name, _, value = line.partition(":")
                self.field(name, value.removeprefix(" "))

    def field(self, name: str, value: str) -> None:
        if name == "event":
            self._type = value
        elif name == "data":
            self._data += value + "\n"
        elif name == "id" and "\0" not in value:
            self.last_id = value
        elif name == "retry" and value.isascii() and value.isdigit():
            self.retry = int(value)

    def dispatch(self) -> None:
        if self._data:
            self.seen.append((self._type or "message", self._data.removesuffix("\n"), self.last_id))
        self._data = self._type = ""


def received(*events: Any) -> Client:
    client = Client()
    client.receive(b"".join(build(event) for event in events))
    return client


# --- one event ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "sent"),
    [
        ("text", b"data: text\n\n"),
        ("", b"data: \n\n"),
        ("gr\xfcn", "data: grün\n\n".encode()),
        ({"data": "x", "id": 7}, b"id: 7\ndata: x\n\n"),
        ({"data": "x", "id": ""}, b"id: \ndata: x\n\n"),
        ({"data": "", "event": "tick"}, b"event: tick\ndata: \n\n"),
        ({"retry": 3000}, b"retry: 3000\n\n"),
        ({"id": "a/1"}, b"id: a/1\n\n"),
        (
            {"data": "a\nb", "id": 0, "event": "e", "retry": 0},
            b"event: e\nid: 0\nretry: 0\ndata: a\ndata: b\n\n",
        ),
        (None, b":\n\n"),
    ],
)
def test_an_event_looks_like_this(event: Any, sent: bytes) -> None:
    assert build(event) == sent


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_data_is_divided_at_each_end_of_a_line(end: str) -> None:
    """A CR in the data would otherwise be the end of a field, and what follows another field."""
    sent = build(f"a{end}id: forged{end}{end}data: forged{end}")
    assert sent == b"data: a\ndata: id: forged\ndata: \ndata: data: forged\ndata: \n\n"


@pytest.mark.parametrize(
    "char", ["\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]
)
def test_data_is_divided_nowhere_else(char: str) -> None:
    """`str.splitlines` divides there too; a client does not."""
    assert received(f"a{char}b").seen == [("message", f"a{char}b", "")]


@pytest.mark.parametrize("data", ["\x00", " x", "\ufeffx", "a: b", ":", "\n", "\n\n", "x\n"])
def test_data_arrives_as_it_is(data: str) -> None:
    assert received(data).seen == [("message", data, "")]


def test_half_of_a_surrogate_pair_does_not_end_the_stream() -> None:
    assert build("a\udcffb") == b"data: a?b\n\n"


BAD_VALUES: dict[str, tuple[dict[str, object], str]] = {
    **{f"id {bad!r}": ({"data": "", "id": bad}, "id=") for bad in (
        "a\nb", "a\rb", "\n", "a\0b", "\x01", "\x7f", " a", "a ", "\udcff", "a" * (MAX_ID + 1),
        "\xfc" * (MAX_ID // 2 + 1),
    )},
    **{f"event {bad!r}": ({"data": "", "event": bad}, "event=.*; give a single line") for bad in (
        "a\nb", "a\rb", "\r\n",
    )},
    **{f"retry {bad!r}": ({"retry": bad}, "retry=") for bad in (
        -1, MAX_RETRY + 1, 1.5, True, "3000", None,
    )},
    "a type without data": ({"event": "tick"}, "type but no data"),
    "another key": ({"data": "", "name": "x"}, "has the key 'name'"),
    "no key": ({}, "is an empty dict"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_VALUES)
def test_what_no_client_would_read_as_it_is_meant_is_refused(case: str) -> None:
    event, said = BAD_VALUES[case]
    with pytest.raises(ValueError, match=said):
        build(event)


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (b"bytes", "an event is bytes"),
        (7, "an event is int 7"),
        ([("data", "x")], "an event is list"),
        ({"data": 7}, "data of an event is int 7"),
        ({"data": None}, "data of an event is None"),
        ({"data": "", "id": 1.5}, "id of an event is float 1.5"),
        ({"data": "", "id": True}, "id of an event is bool True; give a str or an int"),
        ({"data": "", "event": 1}, "event of an event is int 1"),
    ],
)
def test_an_event_of_another_type_is_named(event: Any, said: str) -> None:
    with pytest.raises(TypeError, match=said.replace("is None", "is NoneType None")):
        build(event)


def test_any_mapping_is_an_event() -> None:
    """Its type said `Mapping`, but only a dict was taken."""
    assert build(MappingProxyType({"data": "x", "id": 7})) == b"id: 7\ndata: x\n\n"
    assert build(ChainMap({"data": "x"}, {"id": 7})) == b"id: 7\ndata: x\n\n"


def test_one_mapping_is_not_a_list_of_events() -> None:
    """Its keys would be sent, each as an event."""
    with pytest.raises(TypeError, match="the events are mappingproxy"):
        Response.events(MappingProxyType({"data": "x"}))


def test_the_longest_id_is_sent() -> None:
    longest = "a" * MAX_ID
    assert last_event_id(received({"id": longest}).last_id) == longest


TEXT = st.text(st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from("\r\n:\0 ")))
ID = TEXT.filter(lambda text: text.isprintable() and text == text.strip(" "))
KIND = TEXT.filter(lambda text: not {"\r", "\n"} & set(text))
EVENTS = st.one_of(
    TEXT,
    st.none(),
    st.fixed_dictionaries(
        {"data": TEXT},
        optional={"id": ID | st.integers(0), "event": KIND, "retry": st.integers(0, MAX_RETRY)},
    ),
)


@given(st.lists(EVENTS, max_size=6))
def test_a_client_sees_each_event_as_it_was_given(events: list[Any]) -> None:
    """And no other: nothing in a value is read as a field, or as the end of an event."""
    seen, last, retry = [], "", None
    for event in events:
        if event is None:
            continue
        fields: Mapping[str, Any] = {"data": event} if isinstance(event, str) else event
        last = str(fields.get("id", last))
        retry = fields.get("retry", retry)
        data = fields["data"].replace("\r\n", "\n").replace("\r", "\n")
        seen.append((fields.get("event") or "message", data, last))
    client = received(*events)
    assert (client.seen, client.last_id, client.retry) == (seen, last, retry)
    assert client.comments == events.count(None)
    assert last_event_id(client.last_id) == last


# --- the stream ---------------------------------------------------------------------------------


def sent(response: Response, **variables: str) -> bytes:
    out = io.BytesIO()
    response.send(out, request(**variables))
    return out.getvalue()


HEADER = (
    b"Cache-Control: no-store, no-transform\n"
    b"X-Accel-Buffering: no\n"
    b"Content-Type: text/event-stream; charset=utf-8\n\n"
)


def test_the_whole_answer() -> None:
    assert sent(Response.events(["a", None, {"data": "b", "id": 2}])) == (
        HEADER + b":\n\ndata: a\n\n:\n\nid: 2\ndata: b\n\n"
    )


def test_the_header_is_sent_before_the_first_event_is_made() -> None:
    """The first piece of a stream is made before the header: it is the comment, not an event."""
    made = []

    def events() -> Iterator[str]:
        made.append("first")
        yield "first"

    _, _, pieces = Response.events(events()).answer(request())
    first, *rest = [(piece, list(made)) for piece in pieces]
    assert first == (b":\n\n", [])
    assert rest == [(b"data: first\n\n", ["first"])]


def test_the_answer_to_head_makes_no_event() -> None:
    def events() -> Iterator[str]:
        raise AssertionError
        yield ""

    assert sent(Response.events(events()), REQUEST_METHOD="HEAD") == HEADER


def test_nph_writes_a_whole_response() -> None:
    answer = sent(Response.events(["a"]), SCRIPT_NAME="/nph-events.py")
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"\r\n\r\n:\n\ndata: a\n\n")


class Source:
    """An iterable with a `close`, as a cursor of a database has one."""

    def __init__(self) -> None:
        self.closed = 0

    def __iter__(self) -> Iterator[str]:
        yield "a"
        yield "b"

    def close(self) -> None:
        self.closed += 1


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_what_the_events_come_from_is_closed_however_much_was_read(count: int) -> None:
    source = Source()
    response = Response.events(source)
    _, _, pieces = response.answer(request())
    for _, _ in zip(range(count), pieces, strict=False):
        pass
    response.close()
    assert source.closed == 1


def test_a_generator_learns_that_the_client_has_left() -> None:
    ended: list[type[BaseException]] = []

    def events() -> Iterator[str | None]:
        try:
            while True:
                yield None
        except BaseException as error:
            ended.append(type(error))
            raise

    class Left(io.BytesIO):
        def write(self, data: Any) -> int:
            if len(self.getvalue()) > 500:
                raise BrokenPipeError
            return super().write(data)

    with pytest.raises(BrokenPipeError):
        Response.events(events()).send(Left(), request())
    assert ended == [GeneratorExit]


def generator() -> Iterator[str]:
    yield "a"


async def asynchronous() -> Any:
    yield "a"


@pytest.mark.parametrize(
    "given",
    ["text", b"bytes", {"data": "x"}, None, 7, generator, asynchronous()],
    ids=["str", "bytes", "dict", "None", "int", "a function", "asynchronous"],
)
def test_one_event_instead_of_many_is_refused_before_anything_is_sent(given: Any) -> None:
    """A str was an iterable: each letter became an event."""
    with pytest.raises(TypeError, match="give an iterable of events"):
        Response.events(given)


def test_a_stream_is_sent_once() -> None:
    response = Response.events(["a"])
    sent(response)
    with pytest.raises(StateError, match="sent already"):
        sent(response)


# --- connecting again ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "found"), [(None, ""), ("", ""), ("ä 1", "ä 1")], ids=["none", "empty", "one"]
)
def test_the_last_id_is_read(value: str | None, found: str) -> None:
    field = {} if value is None else {"HTTP_LAST_EVENT_ID": value}
    assert request(**field).last_event_id == found


@pytest.mark.parametrize("bad", ["a\nb", "a\0b", "a\x7f", " a", "a ", "\udcff", "a" * (MAX_ID + 1)])
def test_an_id_that_no_event_had_is_refused(bad: str) -> None:
    with pytest.raises(BadRequest, match="Last-Event-ID is not a valid id: it "):
        _ = request(HTTP_LAST_EVENT_ID=bad).last_event_id


TICKS = """
import os, signal, time
def ticks():
    try:
        while True:
            yield "x"
            time.sleep(600)
    finally:
        os.close(os.open("ended", os.O_CREAT | os.O_WRONLY))
def clock(request):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    return Response.events(ticks())
run(clock)
"""


def test_where_sigterm_raises_an_error_a_generator_is_closed_when_the_client_has_left(
    tmp_path: Path,
) -> None:
    """`cgikit serve` ends such a script by SIGTERM, and by that alone no `finally` runs."""
    script = write_script(tmp_path, TICKS, "clock.py")
    script.write_text(f"#!{sys.executable}\n" + script.read_text())
    script.chmod(0o755)
    with serve(tmp_path) as server:
        with urllib.request.urlopen(f"{server.url}clock.py", timeout=DEADLINE) as answer:
            assert [answer.readline() for _ in range(3)] == [b":\n", b"\n", b"data: x\n"]
        assert until((tmp_path / "ended").exists)
