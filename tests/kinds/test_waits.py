"""Every call of the engine that can wait: each has a time-out, or a reason why nothing needs one.

A call without a time-out waits for as long as whoever is waited for likes: a peer, a script, a process
that was stopped, a file system that hangs. The table lists each place without one; a new one fails.
"""

import ast
from collections.abc import Iterator

import house
import pytest
from house import Module

ROOMS = ("host", "warm", "gateway", "persistent", "cli")

#: What can wait, and where its time-out is: the number of the argument, or its name.
WAITING: dict[str, tuple[int, str]] = {
    "accept": (0, ""),
    "acquire": (1, "timeout"),
    "communicate": (1, "timeout"),
    "connect": (9, ""),
    "flock": (9, ""),
    "join": (0, "timeout"),
    "lockf": (9, ""),
    "poll": (0, "timeout"),
    "recv": (9, ""),
    "recv_fds": (9, ""),
    "recv_into": (9, ""),
    "recvmsg": (9, ""),
    "select": (0, "timeout"),
    "send": (9, ""),
    "send_fds": (9, ""),
    "sendall": (9, ""),
    "sendmsg": (9, ""),
    "sigtimedwait": (1, ""),
    "sigwait": (9, ""),
    "sleep": (0, ""),
    "wait": (0, "timeout"),
    "waitid": (9, ""),
    "wait4": (9, ""),
    "waitpid": (9, ""),
}
#: Calls of the same names that wait for nothing: of `select`, of `subprocess.Popen`, and our own.
OTHERS = {
    "select.poll", "self.process.poll", "self.forking.poll", "worker.process.poll", "self.send",
    "self.worker.connections.send", "self._handover.send",
}  # fmt: skip
#: Flags by which a call does not wait.
AT_ONCE = ("LOCK_NB", "MSG_DONTWAIT", "WNOHANG")

#: Places that have no time-out, and why nothing waits there for long.
NON_BLOCKING = "the socket does not block"
REASONS = {
    "cli.channel.Channel.handle_close: self.socket.send": NON_BLOCKING,
    "cli.httpserver._Listening.handle_accept: connection.send": "a few bytes, on a new connection",
    "cli.httpserver._Listening.handle_accept: self.socket.accept": NON_BLOCKING,
    "cli.httpserver._TurnedAway.__init__: connection.send": NON_BLOCKING,
    "cli.listening._outward: probe.connect": "a datagram socket: nothing is sent, and nothing answers",
    "cli.httpserver._TurnedAway.handle_read: self.recv": NON_BLOCKING,
    "gateway.handover.Handover.send: socket.send_fds": NON_BLOCKING,
    "gateway.handover.Handover.receive: socket.recv_fds": NON_BLOCKING,
    "gateway.listener._clear: probe.connect": NON_BLOCKING,
    "warm.compiling.compiled: os.waitpid": "the process was sent KILL; the worker watches the zygote",
    "warm.outbox.Outbox._send: self._sock.send": NON_BLOCKING,
    "warm.outbox.Outbox._send: self._sock.sendmsg": NON_BLOCKING,
    "warm.connection.Connection.receive: self.sock.recv": NON_BLOCKING,
    "warm.connection.Connection.give_up: self.sock.recv": NON_BLOCKING,
    "warm.acceptor.Acceptor._accept: self._listener.accept": NON_BLOCKING,
    "host.wsgi.Host._answer: send": "it makes the answer for a static file, and sends nothing",
    "warm.trial._end_of: os.waitpid": "it has ended, or was killed a line above",
    "warm.remote.RemoteRun._feed: self._sock.send": NON_BLOCKING,
    "warm.remote.RemoteRun._receive: self._sock.recv": NON_BLOCKING,
    "warm.remote.Warm.start: sock.connect": "the socket has a time-out",
    "host.spawn.SpawnRun.close: os.wait4": "its process group was sent KILL",
    "host.spawn.SpawnRun.has_exited: os.waitid": "WNOHANG is among its flags",
    "warm.child.Child._reuse: kept.send": NON_BLOCKING,
    "warm.reuse.Reused._say: self._socket.send": "it fits into the socket",
    "warm.surroundings._memory_of_sqlite: sys.modules['_sqlite3'].connect": "a database in memory",
    "warm.reuse._received: sock.recvmsg": "this is what it waits for; it ends with its worker",
    "warm.worker.Worker.report: self._channel.sendall": "the socket has a time-out",
    "warm.workerprocess.WorkerProcess.__init__: sock.sendall": "the socket has a time-out",
    "warm.workerprocess.WorkerProcess.ask: self.channel.send": NON_BLOCKING,
    "warm.workerprocess.WorkerProcess.messages: self.channel.recv": NON_BLOCKING,
    "warm.zygote.Zygote.run: send": "a worker that takes no answers is killed",
    "warm.zygote.Zygote._reap: self.sock.sendall": "a worker that takes no answers is killed",
    "warm.zygote.Zygote._reap: waitpid": "the process has ended: waitid has said so",
    "warm.zygote.Zygote.run: recvmsg": "this is what it is for; it ends with its worker",
    "warm.zygote.Zygote.run: recv": "it ends with the worker",
    "persistent.log.Log._out: connection.send": "it polls, with a limit: `Connection.send`",
    "warm.messages.exactly: sock.recv": "in a zygote it ends with the worker; a worker has a time-out",
    "warm.zygote.main: channel.sendall": "it ends with the worker",
    "persistent.worker.PersistentWorker._accept: self._listener.accept": NON_BLOCKING,
    "persistent.worker.PersistentWorker._shut: self._listener.accept": NON_BLOCKING,
}


def waits(module: Module) -> Iterator[str]:
    """Every call of a module that can wait and says not for how long."""
    for place, node in house.nodes(module.tree, module.name):
        if not isinstance(node, ast.Call) or house.written(node.func) in OTHERS:
            continue
        name = house.called(node)
        if name in WAITING and not _is_bounded(node, *WAITING[name]):
            yield f"{place}: {house.written(node.func)}"


def _is_bounded(call: ast.Call, place: int, name: str) -> bool:
    if any(flag in house.written(call) for flag in AT_ONCE):
        return True
    if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Constant):
        return True  # ", ".join(words)
    given = [word.value for word in call.keywords if word.arg == name]
    given += call.args[place : place + 1]
    return any(not (isinstance(each, ast.Constant) and each.value is None) for each in given)


def test_every_reason_says_something() -> None:
    assert all(len(reason) > 10 for reason in REASONS.values())


def found() -> set[str]:
    modules = [module for module in house.read() if module.name.split(".")[0] in ROOMS]
    return {place for module in modules for place in waits(module)}


def test_every_call_that_can_wait_has_a_time_out_or_a_reason() -> None:
    assert found() == set(REASONS)


@pytest.mark.parametrize(
    "source",
    [
        "process.wait()",
        "process.wait(None)",
        "poll.poll()",
        "poll.poll(timeout=None)",
        "sock.recv(8)",
        "sock.sendall(data)",
        "fcntl.flock(fd, fcntl.LOCK_EX)",
        "os.waitpid(pid, 0)",
        "thread.join()",
    ],
)
def test_a_wait_without_end_is_found(source: str) -> None:
    assert len(list(waits(Module("host.snippet", source)))) == 1


@pytest.mark.parametrize(
    "source",
    [
        "process.wait(5)",
        "process.wait(timeout=left)",
        "poll.poll(1_000)",
        "sock.recv(8, socket.MSG_DONTWAIT)",
        "fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)",
        "os.waitpid(pid, os.WNOHANG)",
        "thread.join(_JOIN)",
        "' '.join(words)",
    ],
)
def test_a_wait_with_an_end_is_none(source: str) -> None:
    assert list(waits(Module("host.snippet", source))) == []
