"""Workers come and go, die and are killed: no request that was begun is lost, and nothing is left."""

import os
import shutil
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from gatewayserving import HEAD, Answer, Gateway, children, gateway
from serving import alive, sockets, until

from cgikit.gateway.listener import listen
from cgikit.warm.settings import Settings
from cgikit.warm.supervisor import Supervisor


class Load:
    """Clients that ask one after the other, until they are told to stop."""

    def __init__(self, server: Gateway, path: str, clients: int = 4) -> None:
        self.server = server
        self.path = path
        self.answers: list[Answer] = []
        self.refused = 0  # no connection: nothing was begun
        self.failed: list[object] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(clients)]
        for thread in self._threads:
            thread.start()

    def _ask(self) -> None:
        while not self._stop.is_set():
            try:
                peer = self.server.connect()
            except OSError:
                self.refused += 1
                time.sleep(0.01)
                continue
            try:
                with peer:
                    answer = peer.ask(self.server.variables(self.path))
                (self.answers if answer.output else self.failed).append(answer)
            except OSError as error:
                self.failed.append(error)

    def wait_for(self, count: int) -> None:
        """Wait for so many more answers."""
        goal = len(self.answers) + count
        assert until(lambda: len(self.answers) >= goal), self.failed

    def end(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)


@contextmanager
def load(server: Gateway, path: str, clients: int = 4) -> Iterator[Load]:
    found = Load(server, path, clients)
    try:
        yield found
    finally:
        found.end()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Gateway]:
    with gateway("fastcgi", tmp_path, "--workers", "2") as found:
        yield found


@pytest.fixture
def path(server: Gateway) -> str:
    return server.script("hello.py", HEAD + "import os\nprint(os.getppid())")


def replaced(server: Gateway, before: set[int]) -> bool:
    """Whether both workers are others than those."""
    now = set(server.workers())
    return len(now) == 2 and not now & before


def test_it_is_settled_when_all_workers_are_ready_and_nothing_is_to_be_learnt(
    tmp_path: Path,
) -> None:
    """A supervisor that does not run, with what it knows of its workers."""
    settings = Settings(root=str(tmp_path), protocol="fastcgi")
    with listen(str(tmp_path / "s")) as listener:
        supervisor = Supervisor(
            listener, settings, workers=1, environment={}, log=lambda line: None
        )
        assert not supervisor.is_settled
        worker = SimpleNamespace(generation=0, draining=False, killed_at=0.0, ready=False)
        supervisor._workers.append(worker)  # type: ignore[arg-type]
        assert not supervisor.is_settled
        worker.ready = True
        assert supervisor.is_settled
        supervisor._learn_at = 1.0
        assert not supervisor.is_settled
        supervisor._learn_at = 0.0
        supervisor._generation = 1  # another one is to be started
        assert not supervisor.is_settled
        supervisor._workers.clear()
        supervisor.drain()
        assert supervisor.run() == 0  # and closes what it has opened


# --- reload --------------------------------------------------------------------------------------


def test_reload_under_load_loses_nothing_and_brings_new_code(tmp_path: Path) -> None:
    root, packages = tmp_path / "root", tmp_path / "packages"
    root.mkdir()
    packages.mkdir()
    library = packages / "named.py"
    # A file of modules that are named is watched; one that they read is not: that is what SIGHUP is for
    (packages / "data.txt").write_text("0")
    library.write_text(f"NUMBER = int(open({str(packages / 'data.txt')!r}).read())")
    with gateway(
        "fastcgi", root, "--workers", "2", "--preload", "named", "--env", "PYTHONPATH",
        environment={"PYTHONPATH": str(packages)},
    ) as server:  # fmt: skip
        path = server.script("number.py", f"{HEAD}import named\nprint(named.NUMBER)")
        with load(server, path) as found:
            found.wait_for(20)
            for number in range(1, 4):
                before = set(server.workers())
                (packages / "data.txt").write_text(str(number))
                server.process.send_signal(signal.SIGHUP)
                assert until(partial(replaced, server, before))
                found.wait_for(5)
                assert server.request(path).text == f"{number}\n"
            found.end()
        assert not found.failed
        assert not found.refused
        assert {answer.status for answer in found.answers} == {200}


def test_a_request_in_hand_outlives_a_reload(server: Gateway, path: str) -> None:
    slow = server.script(
        "slow.py",
        f"{HEAD}import os, time\nwhile not os.path.exists('go'): time.sleep(0.02)\nprint(1)",
    )
    before = set(server.workers())
    with server.connect() as peer, server.connect() as early:
        peer.send(server.variables(slow))
        assert until(server.scripts)
        data = server.encode(path)
        early.socket.sendall(data[:20])  # and one that is half here
        server.process.send_signal(signal.SIGHUP)
        assert until(lambda: set(server.workers()) - before)
        early.socket.sendall(data[20:])
        assert early.answer().text
        server.put("go", b"")
        assert peer.answer().text == "1\n"
    assert until(lambda: not before & set(server.workers()))


def test_kept_connections_outlive_reloads(server: Gateway, path: str) -> None:
    """As httpd does it: it sends the next request, and does not look whether anybody is there."""
    waits = server.script(
        "waits.py",
        f"{HEAD}import os, time\nwhile not os.path.exists('go'): time.sleep(0.02)\nprint(1)",
    )
    peers = [server.connect() for _ in range(6)]
    fresh, busy, *others = peers
    try:
        for _ in range(3):
            before = set(server.workers())
            server.put("go", b"")
            for peer in others:
                peer.send(server.variables(path), keep=True)
                assert peer.answer().text
            (server.root / "go").unlink()
            busy.send(server.variables(waits), keep=True)
            assert until(server.scripts)
            server.process.send_signal(signal.SIGHUP)
            # One old worker stays, for the sake of the script that runs
            assert until(lambda before=before: len(before & set(server.workers())) == 1)
            for peer in others:
                peer.send(server.variables(path), keep=True)
                assert peer.answer().text
            server.put("go", b"")
            assert busy.answer().text == "1\n"
            assert until(lambda before=before: replaced(server, before))
        fresh.send(server.variables(path))  # the first on a connection that is three reloads old
        assert fresh.answer().text
    finally:
        for peer in peers:
            peer.socket.close()


def test_kept_connections_that_are_closed_stay_nowhere(server: Gateway, path: str) -> None:
    peers = [server.connect() for _ in range(50)]
    for peer in peers:
        peer.send(server.variables(path), keep=True)
        assert peer.answer().text
    before = set(server.workers())
    server.process.send_signal(signal.SIGHUP)
    assert until(lambda: replaced(server, before))
    for peer in peers:
        peer.socket.close()
    assert until(lambda: 0 < sum(len(sockets(pid)) for pid in server.family()) < 40)
    assert server.request(path).text


# --- drain ---------------------------------------------------------------------------------------


def test_what_was_begun_is_answered_before_the_end(server: Gateway, path: str) -> None:
    slow = server.script(
        "slow.py",
        f"{HEAD}import os, time\nwhile not os.path.exists('go'): time.sleep(0.02)\nprint(1)",
    )
    peers = [server.connect() for _ in range(20)]
    for peer in peers:
        peer.send(server.variables(slow))
    assert until(lambda: len(server.scripts()) == 20)
    late = [server.connect() for _ in range(20)]  # in the queue of the socket, or just taken
    for peer in late:
        peer.send(server.variables(path))
    server.process.send_signal(signal.SIGTERM)
    for peer in late:
        assert peer.answer().text
    server.put("go", b"")
    assert [peer.answer().text for peer in peers] == ["1\n"] * 20
    for peer in peers + late:
        peer.socket.close()
    assert server.stop(0) == 0
    assert not os.path.exists(server.address)


def test_the_end_under_load(server: Gateway, path: str) -> None:
    with load(server, path) as found:
        found.wait_for(20)
        family = server.family()
        assert server.stop() == 0
        found.end()
    assert {answer.status for answer in found.answers} == {200}
    # What connected in the last moment found nobody; nothing was half answered
    assert all(isinstance(failed, OSError) or not failed.output for failed in found.failed)
    assert not os.path.exists(server.address)
    assert until(lambda: not any(map(alive, family)))
    assert not [line for line in server.lines if "Traceback" in line]


@pytest.mark.parametrize("signals", [[signal.SIGINT], [signal.SIGTERM, signal.SIGTERM]])
def test_the_end_at_once(tmp_path: Path, signals: list[int]) -> None:
    with gateway("fastcgi", tmp_path, "--workers", "1") as server:
        waits = server.script(
            "waits.py",
            f"{HEAD}import time, signal\n"
            "def end(*a):\n    open('told', 'w').close()\n    raise SystemExit\n"
            "signal.signal(signal.SIGTERM, end)\nopen('ready', 'w').close()\ntime.sleep(1000)",
        )
        stubborn = server.script(
            "stubborn.py",
            f"{HEAD}import time, signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            "open('deaf', 'w').close()\nwhile True: time.sleep(1000)",
        )
        with server.connect() as one, server.connect() as two:
            one.send(server.variables(waits))
            two.send(server.variables(stubborn))
            assert until(lambda: {"ready", "deaf"} <= set(os.listdir(tmp_path)))
            scripts = server.scripts()
            assert accepts(server)
            for number in signals:
                server.process.send_signal(number)
                if number == signal.SIGTERM:  # two signals at once would be one
                    assert until(lambda: not accepts(server))
            assert server.stop(0) == 0
        assert (tmp_path / "told").exists()  # TERM came first
        assert until(lambda: not any(map(alive, scripts)))
        assert not [line for line in server.lines if "Traceback" in line]


def accepts(server: Gateway) -> bool:
    """Whether a worker holds the listening socket still, as its supervisor does: none that drains. They
    share two more, by which workers leave connections to one another.
    """
    shared = ({*sockets(server.process.pid)} & {*sockets(pid)} for pid in server.workers())
    return any(len(both) > 2 for both in shared)


def test_a_terminal_speaks_to_the_supervisor_only(tmp_path: Path) -> None:
    """Ctrl-C goes to a whole process group; workers that got it printed tracebacks."""
    with gateway("fastcgi", tmp_path, "--workers", "2", process_group=0) as server:
        os.killpg(server.process.pid, signal.SIGINT)
        assert server.stop(0) == 0
        assert len(server.lines) == 1, server.lines


# --- kill -9 -----------------------------------------------------------------------------------------


def test_a_killed_script_is_cut_and_nobody_else_notices(server: Gateway, path: str) -> None:
    victim = server.script(
        "victim.py", f"{HEAD}import os\nprint('x' * 100_000, flush=True)\nos.kill(os.getpid(), 9)"
    )
    with load(server, path, 2) as found:
        for _ in range(10):
            answer = server.request(victim)
            assert answer.ended is None, answer
        found.end()
    assert not found.failed
    server.wait_for("/victim.py: .*was killed by signal 9")
    assert until(lambda: not server.scripts())


@pytest.mark.parametrize("role", ["workers", "zygotes"])
def test_a_killed_process_of_the_host_is_replaced(server: Gateway, path: str, role: str) -> None:
    waits = server.script("waits.py", f"{HEAD}import time\ntime.sleep(1000)")
    peers = [server.connect() for _ in range(8)]
    for peer in peers:
        peer.send(server.variables(waits))
    assert until(lambda: len(server.scripts()) == 8)
    with load(server, path) as found:
        found.wait_for(10)
        victim = getattr(server, role)()[0]
        scripts = server.scripts()
        os.kill(victim, signal.SIGKILL)
        server.wait_for("a worker ended .* and is replaced")
        assert until(lambda: len(server.workers()) == len(server.zygotes()) == 2)
        found.wait_for(20)
        found.end()
    # At most what was in hand in that worker: one request of each client
    refused = [answer for answer in found.answers if answer.status != 200]
    assert {answer.status for answer in refused} <= {503}
    assert len(found.failed) + len(refused) <= 4, found.failed
    with ThreadPoolExecutor(8) as pool:  # the scripts of the dead worker have ended, the others run
        for peer in peers:
            peer.socket.close()
        list(pool.map(lambda pid: until(lambda: not alive(pid)), scripts))
    assert until(lambda: not any(map(alive, scripts)))
    assert not [line for line in server.lines if "Traceback" in line]


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[Gateway]:
    """A gateway that takes a process for hung after ten seconds, the least there is."""
    with gateway("fastcgi", tmp_path, "--workers", "1", "--timeout", "10") as found:
        yield found


def test_a_zygote_that_a_script_has_stopped_is_replaced(impatient: Gateway) -> None:
    stops = impatient.script(
        "stops.py",
        f"{HEAD}import os, signal, time\nos.kill(os.getppid(), signal.SIGSTOP)\nprint('stopped')\n",
    )
    hello = impatient.script("hello.py", f"{HEAD}print('hello')")
    zygotes = impatient.zygotes()
    with impatient.connect() as peer:
        peer.send(impatient.variables(stops))
        answer = peer.answer()  # it comes, in one way or the other
    assert answer.ended is None or answer.status in (200, 503)
    impatient.wait_for("process that forks has not answered for 10 seconds: it is replaced")
    assert until(lambda: len(impatient.zygotes()) == 1 and impatient.zygotes() != zygotes)
    assert impatient.request(hello).text == "hello\n"
    assert not [line for line in impatient.lines if "Traceback" in line]


def test_who_waits_for_a_stopped_zygote_is_told(impatient: Gateway) -> None:
    hello = impatient.script("hello.py", f"{HEAD}print('hello')")
    (stopped,) = impatient.zygotes()
    os.kill(stopped, signal.SIGSTOP)
    answer = impatient.request(hello)
    assert (answer.status, answer.head["retry-after"]) == (503, "5")
    assert impatient.request(hello).text == "hello\n"
    assert until(lambda: not alive(stopped))


def test_a_stopped_worker_is_replaced(impatient: Gateway) -> None:
    hello = impatient.script("hello.py", f"{HEAD}print('hello')")
    (stopped,) = impatient.workers()
    os.kill(stopped, signal.SIGSTOP)
    assert impatient.request(hello).text == "hello\n"  # by the next one, from the socket's queue
    impatient.wait_for("a worker has not answered for 10 seconds and was killed")
    assert until(lambda: not alive(stopped))


def test_the_end_does_not_wait_for_a_worker_that_is_stopped_while_it_starts(
    impatient: Gateway,
) -> None:
    """It was never asked whether it lives, and had its 60 seconds to start."""
    before = impatient.workers()

    def starting() -> int:
        return next((pid for pid in impatient.workers() if pid not in before), 0)

    impatient.process.send_signal(signal.SIGHUP)
    while not (stopped := starting()):
        assert impatient.process.poll() is None
    os.kill(stopped, signal.SIGSTOP)
    impatient.process.send_signal(signal.SIGTERM)
    assert impatient.process.wait(40) == 0
    assert until(lambda: not alive(stopped))


@pytest.mark.parametrize("role", ["workers", "zygotes"])
def test_signals_are_obeyed_while_a_process_of_the_host_is_stopped(
    server: Gateway, path: str, role: str
) -> None:
    assert until(lambda: len(server.workers()) == len(server.zygotes()) == 2)
    family, stopped = server.family(), getattr(server, role)()
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    server.process.send_signal(signal.SIGHUP)
    with server.connect() as peer:  # nobody takes it before there are new workers
        if role == "workers":
            peer.send(server.variables(path))
            assert peer.answer().text
    assert until(lambda: len({*server.workers()} - {*family}) == 2)
    for _ in range(2):
        server.process.send_signal(signal.SIGTERM)
        assert until(lambda: not os.path.exists(server.address))
    assert server.stop(signal.SIGTERM) == 0
    assert until(lambda: not any(map(alive, family)))


def test_workers_that_die_are_replaced_at_once_and_keep_nobody_waiting(
    server: Gateway, path: str
) -> None:
    """The pause before the next one grew with each that died, up to 30 seconds."""
    with load(server, path) as found:
        for _ in range(6):
            assert until(lambda: len(server.workers()) == 2)
            victim = server.workers()[0]
            os.kill(victim, signal.SIGKILL)
            assert until(lambda victim=victim: victim not in server.workers())  # type: ignore[misc]
            found.wait_for(5)
        found.end()
    assert until(lambda: len(server.workers()) == 2)
    assert len(found.failed) <= 4 * 6


# --- the entrance ---------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2])
def test_the_entrance_is_closed_at_once_and_a_successor_can_start(
    tmp_path: Path, workers: int
) -> None:
    """A new request waited in the queue of the socket, for up to an hour, and was reset in the end."""
    root = tmp_path / "root"
    root.mkdir()
    place = Path(tempfile.mkdtemp(prefix="gateway-"))
    address = str(place / "socket")
    options = ("--workers", str(workers))
    try:
        with gateway("fastcgi", root, *options, address=address) as old, old.connect() as peer:
            waits = old.script(
                "waits.py",
                f"{HEAD}import os, time\nwhile not os.path.exists('go'): time.sleep(0.02)\nprint(1)",
            )
            hello = old.script("hello.py", f"{HEAD}print('hello')")
            peer.send(old.variables(waits))
            assert until(old.scripts)
            old.process.send_signal(signal.SIGTERM)
            assert until(lambda: not os.path.exists(address))
            with pytest.raises((ConnectionRefusedError, FileNotFoundError)):
                old.connect()
            with gateway("fastcgi", root, *options, address=address) as new:
                assert new.request(hello).text == "hello\n"
                old.put("go", b"")
                assert peer.answer().text == "1\n"
                peer.socket.close()
                assert old.stop(0) == 0
                assert new.request(hello).text == "hello\n"  # its socket was left alone
            assert not os.path.exists(address)
    finally:
        shutil.rmtree(place)


def test_a_port_is_free_while_requests_drain(tmp_path: Path) -> None:
    with gateway("fastcgi", tmp_path, "--workers", "2", address="127.0.0.1:0") as old:
        waits = old.script(
            "waits.py",
            f"{HEAD}import os, time\nwhile not os.path.exists('go'): time.sleep(0.02)\nprint(1)",
        )
        with old.connect() as peer:
            peer.send(old.variables(waits))
            assert until(old.scripts)
            old.process.send_signal(signal.SIGTERM)
            assert until(lambda: not connects(old))
            with gateway("fastcgi", tmp_path, address=old.address) as new:
                hello = new.script("hello.py", f"{HEAD}print('hello')")
                assert new.request(hello).text == "hello\n"
            old.put("go", b"")
            assert peer.answer().text == "1\n"


def connects(server: Gateway) -> bool:
    """Whether somebody listens at its address."""
    try:
        server.connect().socket.close()
    except ConnectionRefusedError:
        return False
    return True


def test_a_socket_that_was_handed_over_is_left_to_whoever_has_made_it(tmp_path: Path) -> None:
    place = Path(tempfile.mkdtemp(prefix="gateway-"))
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(place / "socket"))
            listener.listen()
            with gateway("fastcgi", tmp_path, "--workers", "1", address="-", stdin=listener) as old:
                waits = old.script(
                    "waits.py",
                    f"{HEAD}import os, time\nwhile not os.path.exists('go'): time.sleep(0.02)\n"
                    "print(1)",
                )
                with old.connect() as peer:
                    peer.send(old.variables(waits))
                    assert until(old.scripts)
                    held = {*sockets(os.getpid())}
                    old.process.send_signal(signal.SIGTERM)
                    family = [old.process.pid, *old.workers()]
                    assert until(lambda: not any(held & {*sockets(pid)} for pid in family))
                    late = old.connect()  # whoever has handed it over may start another one
                    late.send(old.variables("/hello.py"))
                    old.put("go", b"")
                    assert peer.answer().text == "1\n"
                assert old.stop(0) == 0
            assert (place / "socket").exists()
            with gateway("fastcgi", tmp_path, "--workers", "1", address="-", stdin=listener) as new:
                new.script("hello.py", f"{HEAD}print('hello')")
                answer = late.answer()
                late.socket.close()
                # It may have been taken before the script was there
                assert answer.status in (200, 404)
    finally:
        shutil.rmtree(place)


def test_a_killed_supervisor_leaves_nothing_behind(server: Gateway, path: str) -> None:
    waits = server.script("waits.py", f"{HEAD}import time\ntime.sleep(1000)")
    with server.connect() as peer:
        peer.send(server.variables(waits))
        assert until(server.scripts)
        family, scripts = server.family(), server.scripts()
        server.stop(signal.SIGKILL)
    assert until(lambda: not [pid for pid in family + scripts if alive(pid)])


def test_a_killed_supervisor_leaves_no_script_of_a_client_that_stays(
    server: Gateway, path: str
) -> None:
    """Nobody is left to end a script that takes too long, so it ends with its time."""
    slow = server.script("slow.py", f"{HEAD}import time\ntime.sleep(0.5)\nprint(1)")
    with server.connect() as peer:
        peer.send(server.variables(slow))
        assert until(server.scripts)
        family, scripts = server.family(), server.scripts()
        server.stop(signal.SIGKILL)
        assert peer.answer().text == "1\n"
    assert until(lambda: not [pid for pid in family + scripts if alive(pid)])


# --- beginnings -------------------------------------------------------------------------------------


def test_every_process_is_of_the_family(server: Gateway, path: str) -> None:
    """No process but the workers and those that fork for them, two and two."""
    assert server.request(path).text
    assert until(lambda: len(server.workers()) == len(server.zygotes()) == 2)
    assert len(server.family()) == 4
    assert until(lambda: not [child for pid in server.family() for child in children(pid)])
