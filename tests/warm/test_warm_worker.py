"""The event loop: many connections, hostile ones, and a machine that has nothing left to give."""

import os
import random
import resource
import select
import socket
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from gatewayserving import HEAD, Answer, Gateway, Peer, encode, gateway
from requirement import lack, need
from serving import DEADLINE, until
from torture import size

from cgikit.gateway.fastcgi import FastCGI
from cgikit.gateway.fastcgiclient import Ended, Unknown, Values, encode_begin, encode_record
from cgikit.gateway.scgi import SCGI
from cgikit.gateway.wire import WireError

WAITS = f"{HEAD}import os, time\nwhile not os.path.exists('go'): time.sleep(0.02)\nprint(1)"


@pytest.fixture(scope="module", params=["fastcgi", "scgi"])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A gateway for each protocol, with one worker."""
    root = tmp_path_factory.mktemp("served")
    with gateway(request.param, root, "--workers", "1") as server:
        server.script("hello.py", f"{HEAD}print('hello')")
        assert server.request("/hello.py").text == "hello\n"
        workers = server.workers()
        yield server
        assert server.workers() == workers  # nothing in this module has ended it
        assert not [line for line in server.lines if "Traceback" in line or "Error" in line]
        assert until(lambda: not server.scripts())


def well(server: Gateway) -> bool:
    return server.request("/hello.py").text == "hello\n"


def test_an_event_of_a_closed_descriptor_is_not_taken_for_one_of_the_next(served: Gateway) -> None:
    """A script ends, which closes both of its pipes; a local redirect opens two with the same numbers,
    and the second event of the first two was dealt with as one of these. The worker then waited in
    `read` for an end of the standard error of a script that waited for room in its standard output.
    """
    size = 1 << 20
    large = served.script("large.py", f"{HEAD}print('x' * {size - 1})")
    path = served.script("to_large.py", f"print('Location: {large}\\n')")
    for _ in range(20):
        assert len(served.request(path).body) == size


# --- many ------------------------------------------------------------------------------------------


def test_more_requests_than_may_run_and_wait(tmp_path: Path) -> None:
    options = ("--workers", "1", "--children", "2", "--queue", "3", "--timeout", "20")
    with gateway("fastcgi", tmp_path, *options) as server:
        path = server.script("waits.py", WAITS)
        peers = [server.connect() for _ in range(12)]
        for peer in peers:
            peer.send(server.variables(path))
        with ThreadPoolExecutor(12) as pool:
            futures = [pool.submit(peer.answer) for peer in peers]
            assert until(lambda: sum(future.done() for future in futures) == 7)
            assert until(lambda: len(server.scripts()) == 2)
            server.put("go", b"")
            answers = [future.result() for future in futures]
        for peer in peers:
            peer.socket.close()
        refused = [answer for answer in answers if answer.status == 503]
        assert len(refused) == 7
        assert {answer.head["retry-after"] for answer in refused} == {"5"}
        assert [answer.status for answer in answers].count(200) == 5
        assert server.request(path).text == "1\n"


@pytest.mark.parametrize("uri", ["/a%2fb", "/%zz", "/..", "*"])
def test_a_refusal_of_what_has_no_valid_path_ends_no_worker(tmp_path: Path, uri: str) -> None:
    options = ("--workers", "1", "--children", "1", "--queue", "0")
    with gateway("fastcgi", tmp_path, *options) as server, server.connect() as busy:
        busy.send(server.variables(server.script("waits.py", WAITS)))
        assert until(server.scripts)
        with server.connect() as other:
            variables = server.variables("/", REQUEST_URI=uri)
            del variables["SCRIPT_NAME"]
            assert other.ask(variables).status == 503
        server.put("go", b"")
        assert busy.answer().text == "1\n"
        assert not server.deaths()


def test_who_leaves_the_queue_makes_room(tmp_path: Path) -> None:
    options = ("--workers", "1", "--children", "1", "--queue", "1", "--timeout", "60")
    with gateway("fastcgi", tmp_path, *options) as server, ExitStack() as stack:
        path = server.script("waits.py", WAITS)

        def asking() -> Peer:
            """A connection with a request."""
            peer = stack.enter_context(server.connect())
            peer.send(server.variables(path))
            return peer

        def room() -> Peer | None:
            """A connection whose request waits; None where there was no room for it yet."""
            first = asking()
            for _ in range(2):  # the first of them may be taken before it, the second may not
                other = asking()
                answered = select.select([first.socket, other.socket], [], [], DEADLINE)[0]
                assert answered
                if first.socket in answered:
                    first.socket.close()
                    other.socket.close()  # this one may have the place
                    return None
                assert other.answer().status == 503
            return first

        def queued() -> Peer:
            """A connection whose request waits."""
            found: list[Peer | None] = []
            assert until(lambda: found.append(room()) or found[-1])
            assert found[-1] is not None
            return found[-1]

        running = asking()
        assert until(server.scripts)
        queued().socket.close()
        waiting = queued()
        server.put("go", b"")
        for peer in (running, waiting):
            assert peer.answer().text == "1\n"


def test_who_waits_too_long_is_told(tmp_path: Path) -> None:
    options = ("--workers", "1", "--children", "1", "--queue", "5", "--timeout", "3")
    with gateway("fastcgi", tmp_path, *options) as server:
        path = server.script(
            "trickles.py",
            f"{HEAD}import os, time\n"
            "while not os.path.exists('go'): print(1, flush=True); time.sleep(0.1)",
        )
        with server.connect() as running:
            running.send(server.variables(path))
            assert until(server.scripts)
            assert server.request(path).status == 503
            server.put("go", b"")
            assert running.answer().ended == 0


def test_a_thousand_half_open_connections(served: Gateway) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4_096, before[1]), before[1]))
    peers: list[Peer] = []
    try:
        for number in range(1_000):
            peers.append(served.connect())
            if number % 2:  # one half has begun to speak
                peers[-1].socket.sendall(b"\1" if served.protocol == "fastcgi" else b"1")
            if number % 250 == 0:
                assert well(served)
        assert well(served)
        # More than it holds at once: those that say nothing have to make room
        peers += [served.connect() for _ in range(200)]
        assert well(served)
    finally:
        for peer in peers:
            peer.socket.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert well(served)


def test_slow_clients_do_not_slow_others(served: Gateway) -> None:
    data = served.encode("/hello.py")
    slow = [served.connect() for _ in range(50)]
    for byte in data[:40]:
        for peer in slow:
            peer.socket.sendall(bytes((byte,)))
        assert well(served)
    for peer in slow:
        peer.socket.sendall(data[40:])
    for peer in slow:
        assert peer.answer().text == "hello\n"
        peer.socket.close()


@pytest.mark.parametrize("protocol", ["fastcgi", "scgi"])
def test_a_request_that_never_ends_is_given_up(tmp_path: Path, protocol: str) -> None:
    with gateway(protocol, tmp_path, "--workers", "1", "--timeout", "1") as server:
        server.script("hello.py", HEAD)
        with server.connect() as peer:
            peer.socket.sendall(server.encode("/hello.py")[:30])
            assert peer.receive() == b""
        with server.connect() as peer:  # its body
            peer.socket.sendall(server.encode("/hello.py", b"x" * 100_000)[:1_000])
            assert peer.answer().status == 408


def test_a_client_that_does_not_read_holds_up_nobody(served: Gateway) -> None:
    path = served.script(
        "much.py", f"{HEAD}import os\nprint('x' * 30_000_000)\nopen('through', 'w').close()"
    )
    (served.root / "through").unlink(missing_ok=True)
    with served.connect() as peer:
        peer.send(served.variables(path))
        assert until(served.scripts)
        for _ in range(20):
            assert well(served)
        assert len(peer.answer().body) == 30_000_001
    assert (served.root / "through").exists()


# --- hostile ---------------------------------------------------------------------------------------


def test_any_bytes(served: Gateway) -> None:
    chance = random.Random(4)
    good = served.encode("/hello.py", b"body")
    for number in range(size("hostile connections")):
        data = bytearray(good)
        kind = number % 4
        if kind == 0:
            data = bytearray(chance.randbytes(chance.randrange(1, 2_000)))
        elif kind == 1:
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        elif kind == 2:
            del data[chance.randrange(len(data)) :]
        else:
            data[chance.randrange(len(data)) :] = chance.randbytes(50)
        with served.connect() as peer:
            try:
                peer.socket.sendall(data)
                if is_refused(served.protocol, bytes(data)):
                    while peer.receive():
                        pass  # it is closed; nobody waits for a time-out
            except OSError:
                pass
        if number % 50 == 0:
            assert well(served)
    assert well(served)


def is_refused(protocol: str, data: bytes) -> bool:
    try:
        (FastCGI() if protocol == "fastcgi" else SCGI()).receive(data)
    except WireError:
        return True
    return False


def test_records_of_no_request(warm: Gateway) -> None:
    """Each on a connection on which a good request follows."""
    warm.script("hello.py", f"{HEAD}print('hello')")
    for records in (
        encode_record(5, 7, b"body of nothing"),
        encode_record(4, 7, b"\1\1ab"),
        encode_record(2, 7),  # abort
        encode_begin(9, True, 2) + encode_record(4, 9),  # an Authorizer
        encode_record(99, 0, b"?"),
        encode_record(9, 0, b"\x0e\0FCGI_MAX_CONNS"),
    ):
        with warm.connect() as peer:
            peer.socket.sendall(records)
            peer.socket.sendall(encode("fastcgi", warm.variables("/hello.py"), b"", keep=True))
            events, wanted = [], b""
            while b"hello\n" not in wanted:
                data = peer.receive()
                assert data, (records, events)
                wanted += data
            events = peer._responses.receive(wanted)
            assert not [e for e in events if isinstance(e, Values) and not e.variables], events
            assert len([e for e in events if isinstance(e, Unknown)]) == (records[1] == 99)


def test_an_aborted_request_is_ended(warm: Gateway) -> None:
    path = warm.script("long.py", f"{HEAD}import time\ntime.sleep(1000)")
    warm.script("hello.py", f"{HEAD}print('hello')")
    with warm.connect() as peer:
        peer.send(warm.variables(path), keep=True)
        assert until(warm.scripts)
        peer.socket.sendall(encode_record(2, 1))
        assert peer.answer().ended is not None
        peer.send(warm.variables("/hello.py"), keep=True)
        assert peer.answer().text == "hello\n"
    assert until(lambda: not warm.scripts())


def test_two_requests_at_once_on_one_connection(warm: Gateway) -> None:
    """It does not multiplex, says so, and answers the first."""
    warm.script("hello.py", f"{HEAD}print('hello')")
    path = warm.script("waits.py", WAITS)
    with warm.connect() as peer:
        peer.send(warm.variables(path), keep=True)
        peer.socket.sendall(encode_begin(2, True))
        ended: list[Ended] = []
        while not ended:  # the header of the first may come before it
            data = peer.receive()
            assert data
            ended = [e for e in peer._responses.receive(data) if isinstance(e, Ended)]
        assert [(e.request, e.protocol_status) for e in ended] == [(2, 1)]  # CANT_MPX_CONN
        warm.put("go", b"")
        assert peer.answer().output.endswith(b"1\n")


def test_requests_one_after_the_other_without_waiting(warm: Gateway) -> None:
    warm.script("hello.py", f"{HEAD}print('hello')")
    with warm.connect() as peer:
        for _ in range(30):
            peer.send(warm.variables("/hello.py", b"body"), b"body", keep=True)
            assert peer.answer().text == "hello\n"


def test_a_reset_in_mid_answer(served: Gateway) -> None:
    path = served.script("much.py", f"{HEAD}print('x' * 30_000_000)")
    for _ in range(10):
        peer = served.connect()
        peer.send(served.variables(path))
        assert peer.receive()
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        peer.socket.close()
    assert until(lambda: not served.scripts())
    assert well(served)


# --- a machine that has nothing left ---------------------------------------------------------------


@pytest.fixture
def another_user() -> Iterator[tuple[str, ...]]:
    """The words that start a program as a user who has no other process, but may read all files."""
    if os.geteuid():
        lack("root, for a user whose processes can be counted")
    number, may = 50_000, "+dac_read_search,+dac_override"
    with socket.socket(socket.AF_UNIX) as mine:
        while True:  # another run of the tests may be at work, and must have another user
            try:
                mine.bind(f"\0cgikit-tests-user-{number}")
                break
            except OSError:
                number += 1
        yield (
            need("setpriv"), f"--reuid={number}", f"--regid={number}", "--clear-groups",
            "--bounding-set", may.replace("+dac", "-all,+dac", 1), "--inh-caps", may,
            "--ambient-caps", may, "--",
        )  # fmt: skip


@pytest.fixture
def open_root() -> Iterator[Path]:
    """A directory that every user may enter, which pytest's are not."""
    with tempfile.TemporaryDirectory() as place:
        os.chmod(place, 0o755)
        yield Path(place)


def ask_many(server: Gateway, path: str, count: int) -> list[Answer]:
    with ThreadPoolExecutor(count) as pool:
        futures = [pool.submit(server.request, path) for _ in range(count)]
        assert until(lambda: any(future.done() for future in futures))
        server.put("go", b"")
        return [future.result() for future in futures]


def test_no_process_is_left(open_root: Path, another_user: tuple[str, ...]) -> None:
    limited = (need("prlimit"), "--nproc=7", "--")
    with gateway(
        "fastcgi", open_root, "--workers", "1", before=(*another_user, *limited)
    ) as server:
        path = server.script("waits.py", WAITS)
        statuses = [answer.status for answer in ask_many(server, path, 12)]
        assert set(statuses) == {200, 503}
        assert [server.request(path).status for _ in range(3)] == [200] * 3
        assert len(server.workers()) == 1


def test_no_descriptor_is_left(tmp_path: Path) -> None:
    with gateway(
        "fastcgi", tmp_path, "--workers", "1", before=(need("prlimit"), "--nofile=40", "--")
    ) as server:
        path = server.script("waits.py", WAITS)
        statuses = [answer.status for answer in ask_many(server, path, 25)]
        assert set(statuses) == {200, 503}
        assert [server.request(path).status for _ in range(3)] == [200] * 3
        assert not [line for line in server.lines if "Traceback" in line]


def test_a_fork_bomb_is_bounded_and_the_others_are_answered(
    open_root: Path, another_user: tuple[str, ...]
) -> None:
    options = ("--workers", "1", "--processes", "30", "--timeout", "5")
    with gateway("fastcgi", open_root, *options, before=another_user) as server:
        bomb = server.script(
            "bomb.py",
            "import os, time\nwhile True:\n    try: os.fork()\n    except OSError: time.sleep(0.01)",
        )
        path = server.script("hello.py", f"{HEAD}print('hello')")
        with server.connect() as peer:
            peer.send(server.variables(bomb))
            assert until(server.scripts)
            for _ in range(20):
                assert server.request(path).text == "hello\n"
            assert peer.answer().status == 504
        uid = Path(f"/proc/{server.process.pid}").stat().st_uid
        assert until(lambda: processes_of(uid) <= 3)


def processes_of(uid: int) -> int:
    found = 0
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            found += entry.stat().st_uid == uid
        except FileNotFoundError:
            pass
    return found
