"""Internal. The loop of a worker process: wait for a request, answer it, until a signal ends it.

It answers one request at a time, and blocks while the handler runs. Between handlers it waits for all
connections at the same time, so an open connection of the web server does not hold up the others,
nor a body that is not read, nor an answer that is received slowly.
"""

import os
import select
import signal
import socket
import sys
from time import monotonic, sleep

from .. import process
from ..debug import log, new_incident
from ..gateway.listener import allowed_peers, is_allowed, send_at_once
from ..gateway.wire import RequestStarted
from .connection import DELIVERING, GATHERING, PersistentConnection
from .log import Log, goes_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from ..gateway.handover import Handover
    from ..gateway.listener import Listener

_ENDING = (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT)
_BEGINNING = 30  # seconds from the first byte of a request to the last of its variables
# Milliseconds to wait for the request on a new connection: servers send one immediately. If the worker
# took another request first, this one would have to wait, although another worker may be free.
_PATIENCE = 10
_LAST = 0.25  # seconds for requests that are on their way when the worker ends
_DELIVERED = 20  # seconds for answers that are on their way; the parent kills after 30
_FAILED = (
    b"Status: 500 Internal Server Error\r\nContent-Type: text/plain\r\n\r\n"
    b"The server failed on this request: incident %b.\n"
)
_MAX_WAITING = 500  # open connections; the default limit of descriptors is 1,024


class PersistentOutput:
    """Replaces `sys.stdout` for `Response.send`, so it writes nothing to standard output."""

    def __init__(self, own: object) -> None:
        self._own = own

    def __getattr__(self, name: str) -> object:
        if name == "buffer":
            raise AttributeError(name)
        return getattr(self._own, name)


class PersistentWorker:
    """Serves `listener`, which must be non-blocking; `answer(variables, connection)` answers requests.

    Bodies of unknown length, and those that a handler has not read yet, are kept up to `limit` bytes,
    in `directory` if they are long (default: TMPDIR).
    """

    def __init__(
        self,
        listener: "Listener",
        answer: "Callable[[dict[str, str], PersistentConnection], None]",
        limit: int,
        directory: str | None = None,
    ) -> None:
        self._listener = listener
        self._answer = answer
        self._limit = limit
        self._directory = directory
        self._peers = allowed_peers(os.environ.get("FCGI_WEB_SERVER_ADDRS", ""))
        self._log = Log(goes_out())
        self._ending = False
        self._handover: Handover | None = None
        self._leaving = False  # a successor takes the open connections
        self._left = -1  # how many requests are still to be answered; negative: no limit
        self._waiting: dict[int, PersistentConnection] = {}  # by descriptor, longest waiting first
        self._late: list[socket.socket] = []  # accepted when the end began
        self._timed: set[PersistentConnection] = set()  # in a phase, which has a deadline
        self._swept = 0.0
        self._serving: PersistentConnection | None = None
        self._handlers: dict[signal.Signals, Any] = {}  # the previous signal handlers
        self._mask: set[signal.Signals | int] = set()
        os.register_at_fork(
            before=self._fork, after_in_parent=self._fork_done, after_in_child=self._forked
        )

    def run(
        self,
        requests: int | None = None,
        parent: int | None = None,
        connections: "Iterable[socket.socket]" = (),
        handover: "Handover | None" = None,
    ) -> None:
        """Answer requests until a signal comes (SIGTERM, SIGUSR1, SIGINT), `requests` have been
        answered, or `parent` reaches its end, a pipe that only the parent process can write to.

        The current request is always answered. `connections` are open from the beginning; those that
        are open after the last of `requests` are left in `handover`.
        """
        self._left = requests or -1
        self._handover = handover
        awake, written = os.pipe()
        os.set_blocking(written, False)
        signal.set_wakeup_fd(written, warn_on_full_buffer=False)
        self._handlers = {number: signal.signal(number, self._end) for number in _ENDING}
        # With epoll the kernel can wake only one of many workers for a new connection.
        linux = hasattr(select, "epoll")
        self._second = 1 if linux else 1_000
        self._poll = select.epoll() if linux else select.poll()
        one = select.EPOLLIN | select.EPOLLEXCLUSIVE if linux else select.POLLIN
        self._poll.register(self._listener.fileno(), one)
        for end in (awake, parent):
            if end is not None:
                self._poll.register(end, select.POLLIN)
        for connection in connections:
            self._wait(PersistentConnection(connection))
        output, errors = sys.stdout, sys.stderr
        guard = process.GuardedOutput()
        guard.guarded = PersistentOutput(output)
        sys.stdout, sys.stderr = guard, self._log
        try:
            self._loop()
        finally:
            sys.stdout, sys.stderr = output, errors
            self._leave_signals()
            os.close(awake)
            os.close(written)

    def _leave_signals(self) -> None:
        signal.set_wakeup_fd(-1)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def _fork(self) -> None:
        """Block signals, so that none reaches a process that a handler forks before `_forked` runs."""
        if self._serving is not None:
            self._mask = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)

    def _fork_done(self) -> None:
        if self._serving is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)

    def _forked(self) -> None:
        """In a process that a handler has forked, stop being a worker.

        Otherwise its log would go into the answer of the request, and a signal to it would end the
        worker, because they share the wake-up pipe. `_answer` raises there, so it never returns here.
        """
        if self._serving is not None:
            self._leave_signals()
            self._fork_done()
            self._serving.disown()
            self._log.disown()

    def _end(self, *_: object) -> None:
        self._ending = True
        self._leaving = False
        self._shut()

    def _shut(self) -> None:
        """Accept the connections that are waiting, and close the listener: later ones are refused, or
        wait for another process that has it. This is done even while a handler runs, which may be long.
        """
        try:
            while len(self._late) < _MAX_WAITING:
                self._late.append(self._listener.accept()[0])
        except OSError:
            pass  # none is waiting, or the listener is closed already
        self._listener.close()

    def _safely(
        self, call: "Callable[[PersistentConnection], None]", connection: PersistentConnection
    ) -> None:
        """Call `call(connection)`. An error in it ends this connection and no other."""
        own = os.getpid()
        try:
            call(connection)
        except BaseException as error:  # any: a script may raise anything
            if os.getpid() != own:
                raise  # in a process that a handler forked
            incident = new_incident()
            log(error, incident)
            try:
                self._give_up(connection, incident)
            except Exception as second:  # the connection is closed nevertheless
                log(second, incident)

    def _give_up(self, connection: PersistentConnection, incident: str) -> None:
        """Close a connection after an error; if nothing was sent yet, send an error page before."""
        try:
            if connection.codec.request and not connection.begun:
                data = connection.codec.finish(connection.number, 0, _FAILED % incident.encode())
                connection.socket.send(data, socket.MSG_DONTWAIT)
        finally:
            self._let_go(connection)

    def _let_go(self, connection: PersistentConnection) -> None:
        try:
            self._close(connection)
        except Exception:
            self._timed.discard(connection)
            for descriptor, each in [*self._waiting.items()]:
                if each is connection:
                    del self._waiting[descriptor]
            connection.socket.close()  # closing also removes it from an epoll

    def _loop(self) -> None:
        listener, waiting = self._listener.fileno(), self._waiting
        while not self._ending:
            for descriptor, _ in self._poll.poll(self._pause()):
                if descriptor == listener:
                    self._accept()
                elif descriptor in waiting:
                    self._safely(self._turn, waiting[descriptor])
                else:
                    self._end()  # woken by a signal, or by the end of the parent
            self._sweep()
        self._finish()

    def _pause(self) -> float:
        """Return the longest time to wait, in the unit of `_poll`."""
        pause: float = _BEGINNING
        if self._timed:
            first = min(connection.deadline() for connection in self._timed)
            pause = min(pause, max(0.0, first - monotonic()) + 0.001)
        return pause * self._second

    def _finish(self) -> None:
        """Answer requests that are on their way on open connections, and close those.

        Closing a connection while the server is sending a request would lose the request. So each gets
        a moment for one more, after which the server sees that it ends. Answers get more time.
        """
        for accepted in self._late:
            self._welcome(accepted)
        self._leave()
        began = monotonic()
        while self._waiting:
            now = monotonic()
            end = began + (_DELIVERED if self._timed else _LAST)
            if now >= end:
                break
            poll = select.poll()  # without the listener, the signals and the parent
            for descriptor, connection in self._waiting.items():
                poll.register(descriptor, connection.wishes())
            left = min([end, *(each.deadline() for each in self._timed)]) - now
            for descriptor, _ in poll.poll(max(0.0, left) * 1_000 + 1):
                if descriptor in self._waiting:
                    self._safely(self._turn, self._waiting[descriptor])
            self._sweep()
            self._leave()
        for connection in [*self._waiting.values()]:
            self._close(connection)

    def _leave(self) -> None:
        """Leave connections that are between two requests to the successor, if there is one."""
        if self._leaving and self._handover is not None:
            idle = [
                each for each in self._waiting.values() if each.codec.is_idle and not each.phase
            ]
            for each in idle[: self._handover.send([each.socket for each in idle])]:
                self._forget(each)
                each.release()

    def _accept(self) -> None:
        if self._ending:
            return  # another process accepts it
        try:
            accepted, _ = self._listener.accept()
        except BlockingIOError:
            return  # another worker was faster
        except OSError as error:
            process.write_log(f"cgikit: cannot accept a connection: {error.strerror}\n")
            sleep(0.1)  # no descriptors or memory: the next attempt would fail immediately
            return
        self._welcome(accepted)

    def _welcome(self, accepted: socket.socket) -> None:
        """Begin a connection that was accepted."""
        send_at_once(accepted)
        connection = PersistentConnection(accepted)
        self._safely(self._begin, connection)

    def _begin(self, connection: PersistentConnection) -> None:
        if self._peers is not None and not is_allowed(connection.socket, self._peers):
            connection.closed = True
            process.write_log(
                "cgikit: refused a connection from an address that is not in FCGI_WEB_SERVER_ADDRS\n"
            )
        self._turn(connection, _PATIENCE)

    def _turn(self, connection: PersistentConnection, patience: int = 0) -> None:
        """Receive from a connection, within `patience` milliseconds, and do what is to be done."""
        if connection.phase:
            self._go_on(connection)
            return
        events = None if connection.closed else connection.look()
        if events is None and patience and not connection.closed:
            poll = select.poll()
            poll.register(connection.socket, select.POLLIN)
            if poll.poll(patience):
                events = connection.look()
        if events:
            started = events[0]
            assert isinstance(started, RequestStarted)  # noqa: S101  # what else can begin a request
            connection.begin(
                started.request, events[1:], started.variables, self._limit, self._directory
            )
            if not connection.phase or connection.gather(monotonic()):
                self._serve(connection)
        elif events is not None and not connection.codec.keep and not connection.codec.request:
            connection.closed = True  # a request that was refused
        self._settle(connection)

    def _go_on(self, connection: PersistentConnection) -> None:
        """Continue a connection in a phase: receive its body, or send its answer."""
        now = monotonic()
        if connection.phase != GATHERING:
            connection.go_on(now)
        elif connection.gather(now):
            self._serve(connection)
        self._settle(connection)

    def _settle(self, connection: PersistentConnection) -> None:
        """Wait for the next event on a connection, or close it."""
        if connection.phase == DELIVERING and connection.is_settled:
            connection.phase = ""
            if self._ending and not self._leaving:
                connection.last = True
            if connection.last or not connection.codec.keep:
                connection.linger()
        if connection.closed:
            self._close(connection)
            return
        if connection.phase:
            self._timed.add(connection)
        else:
            self._timed.discard(connection)
        if not connection.codec.request or connection.phase:
            connection.since = 0.0
        elif not connection.since:
            connection.since = monotonic()
        self._wait(connection)

    def _serve(self, connection: PersistentConnection) -> None:
        """Answer a request."""
        self._log.connection, connection.log = connection, self._log
        self._serving = connection
        began = monotonic()
        try:
            if not connection.gone:
                self._answer(connection.variables, connection)
        finally:
            self._serving = self._log.connection = connection.log = None
            self._log.flush()  # what was logged after the end of the answer
        if not connection.answered and not connection.closed:
            connection.finish()  # the client has disconnected, but the server waits for the end
        self._left -= 1
        if not self._left and not self._ending:
            self._ending = True
            self._leaving = self._handover is not None
        took = monotonic() - began
        if took > 1:  # meanwhile the other connections could make no progress
            for other in self._timed:
                other.postpone(took)

    def _wait(self, connection: PersistentConnection) -> None:
        descriptor, wishes = connection.socket.fileno(), connection.wishes()
        if self._waiting.pop(descriptor, None) is None:
            if len(self._waiting) >= _MAX_WAITING:
                idle = (each for each in self._waiting.values() if not each.phase)
                self._close(next(idle, None) or next(iter(self._waiting.values())))
            self._poll.register(descriptor, wishes)
        elif wishes != connection.mask:
            self._poll.modify(descriptor, wishes)
        connection.mask = wishes
        self._waiting[descriptor] = connection

    def _close(self, connection: PersistentConnection) -> None:
        self._forget(connection)
        connection.close()

    def _forget(self, connection: PersistentConnection) -> None:
        self._timed.discard(connection)
        descriptor = connection.socket.fileno()
        if self._waiting.pop(descriptor, None) is not None:
            # If a process that a handler has started holds it open, it would stay in an epoll.
            self._poll.unregister(descriptor)

    def _sweep(self) -> None:
        """Continue connections whose deadline has passed, and close those whose request is not complete
        in time.
        """
        now = monotonic()
        for connection in [each for each in self._timed if each.deadline() <= now]:
            self._safely(self._go_on, connection)
        if now - self._swept < _BEGINNING:
            return
        self._swept = now
        for connection in [*self._waiting.values()]:
            if connection.since and now - connection.since > _BEGINNING:
                self._close(connection)
