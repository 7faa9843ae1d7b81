"""Internal. The loop of one process: wait for a request, have it answered, and so on until told to end.

One request at a time, and blocking while its handler is at work; in between it waits for all
connections at once, so that those which web servers keep open do not hold up the others, nor bodies
that nobody reads, nor answers that are taken slowly.
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
# Milliseconds. A server sends at once what it connects for. If another request came first, this one
# would wait until that is answered, though another worker may have nothing to do.
_PATIENCE = 10
_LAST = 0.25  # seconds for requests that are on their way when the end comes
_DELIVERED = 20  # seconds for answers that are; the parent kills after 30
_FAILED = (
    b"Status: 500 Internal Server Error\r\nContent-Type: text/plain\r\n\r\n"
    b"The server failed on this request: incident %b.\n"
)
_MOST_WAITING = 500  # connections kept open; descriptors are 1,024 by default


class PersistentOutput:
    """What `Response.send` finds while requests are answered: no bytes can go to standard output."""

    def __init__(self, own: object) -> None:
        self._own = own

    def __getattr__(self, name: str) -> object:
        if name == "buffer":
            raise AttributeError(name)
        return getattr(self._own, name)


class PersistentWorker:
    """Serves `listener`, whose accept must not block; `answer(variables, connection)` does the rest.

    Bodies whose length is not known, and those that a handler leaves for later, are kept up to `limit`
    bytes, in `directory` where they are long (TMPDIR without one).
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
        self._leaving = False  # to a successor: the connections stay open
        self._left = -1  # requests to be answered; any number below 0
        self._waiting: dict[int, PersistentConnection] = {}  # by descriptor, longest waiting first
        self._late: list[socket.socket] = []  # accepted in the last moment
        self._timed: set[PersistentConnection] = set()  # that are in a phase which must end
        self._swept = 0.0
        self._serving: PersistentConnection | None = None
        self._handlers: dict[signal.Signals, Any] = {}  # of the signals, before this one's
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
        """Answer requests until a signal comes (SIGTERM, SIGUSR1, SIGINT), or so many have been
        answered, or `parent` ends, which is a pipe that only the parent can write to.

        The request in hand is always answered. `connections` are open from the beginning; those that
        are open after so many requests are left to `handover`.
        """
        self._left = requests or -1
        self._handover = handover
        awake, written = os.pipe()
        os.set_blocking(written, False)
        signal.set_wakeup_fd(written, warn_on_full_buffer=False)
        self._handlers = {number: signal.signal(number, self._end) for number in _ENDING}
        # An epoll can wake one of many workers for a connection, and not all of them.
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
        """Let no signal come to a process that a handler forks before `_forked` was called in it."""
        if self._serving is not None:
            self._mask = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)

    def _fork_done(self) -> None:
        if self._serving is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)

    def _forked(self) -> None:
        """Make nothing of a worker of a process that a handler has just forked.

        It would write its log into the answer of the request, and a signal to it would end the worker,
        which it shares the pipe for that with. `_answer` raises in it, so it never comes back.
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
        """Let those in who have come, and nobody after that: later ones are refused, or wait
        for another process that has the socket. A handler may take long: that is done while it runs.
        """
        try:
            while len(self._late) < _MOST_WAITING:
                self._late.append(self._listener.accept()[0])
        except OSError:
            pass  # nobody is left, or it was closed before
        self._listener.close()

    def _safely(
        self, call: "Callable[[PersistentConnection], None]", connection: PersistentConnection
    ) -> None:
        """Go on with a connection. An error in that ends it, and none of the others."""
        own = os.getpid()
        try:
            call(connection)
        except BaseException as error:  # of any kind: a script may raise anything
            if os.getpid() != own:
                raise  # in a process that a handler forked
            incident = new_incident()
            log(error, incident)
            try:
                self._give_up(connection, incident)
            except Exception as second:  # it is closed all the same
                log(second, incident)

    def _give_up(self, connection: PersistentConnection, incident: str) -> None:
        """Close a connection after an error, and say so where nothing was said yet."""
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
            connection.socket.close()  # which takes it out of an epoll

    def _loop(self) -> None:
        listener, waiting = self._listener.fileno(), self._waiting
        while not self._ending:
            for descriptor, _ in self._poll.poll(self._pause()):
                if descriptor == listener:
                    self._accept()
                elif descriptor in waiting:
                    self._safely(self._turn, waiting[descriptor])
                else:
                    self._end()  # woken by a signal, or the parent is no more
            self._sweep()
        self._finish()

    def _pause(self) -> float:
        """Return for how long to wait at most, in the unit of `_poll`."""
        pause: float = _BEGINNING
        if self._timed:
            first = min(connection.deadline() for connection in self._timed)
            pause = min(pause, max(0.0, first - monotonic()) + 0.001)
        return pause * self._second

    def _finish(self) -> None:
        """Answer what is on its way on connections that a server believes open, and close them.

        They get a moment for one more request each, after which a server sees at once that they end. To
        close one on which a request is on its way would lose it. Answers get longer to arrive.
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
            poll = select.poll()  # the listener, the signal and the parent have been heard
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
        """Leave connections between two requests to the successor, if there is to be one."""
        if self._leaving and self._handover is not None:
            idle = [
                each for each in self._waiting.values() if each.codec.is_idle and not each.phase
            ]
            for each in idle[: self._handover.send([each.socket for each in idle])]:
                self._forget(each)
                each.release()

    def _accept(self) -> None:
        if self._ending:
            return  # another process takes it
        try:
            accepted, _ = self._listener.accept()
        except BlockingIOError:
            return  # another worker was faster
        except OSError as error:
            print(f"cgikit: no connection can be accepted: {error.strerror}", file=sys.stderr)  # noqa: T201
            sleep(0.1)  # out of descriptors or memory: it would come back at once
            return
        self._welcome(accepted)

    def _welcome(self, accepted: socket.socket) -> None:
        """Begin with a connection that was accepted."""
        send_at_once(accepted)
        connection = PersistentConnection(accepted)
        self._safely(self._begin, connection)

    def _begin(self, connection: PersistentConnection) -> None:
        if self._peers is not None and not is_allowed(connection.socket, self._peers):
            connection.closed = True
            print("cgikit: a connection was refused: FCGI_WEB_SERVER_ADDRS", file=sys.stderr)  # noqa: T201
        self._turn(connection, _PATIENCE)

    def _turn(self, connection: PersistentConnection, patience: int = 0) -> None:
        """Go on with a connection on which there may be something to do, or will be in a moment."""
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
        """Go on with a body that is gathered, or with an answer on its way."""
        now = monotonic()
        if connection.phase != GATHERING:
            connection.go_on(now)
        elif connection.gather(now):
            self._serve(connection)
        self._settle(connection)

    def _settle(self, connection: PersistentConnection) -> None:
        """Wait for what is to come next on a connection, or close it."""
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
        """Have a request answered."""
        self._log.connection, connection.log = connection, self._log
        self._serving = connection
        began = monotonic()
        try:
            if not connection.gone:
                self._answer(connection.variables, connection)
        finally:
            self._serving = self._log.connection = connection.log = None
            self._log.flush()  # what was said after the end
        if not connection.answered and not connection.closed:
            connection.finish()  # the client went away, but the server waits for an end
        self._left -= 1
        if not self._left and not self._ending:
            self._ending = True
            self._leaving = self._handover is not None
        took = monotonic() - began
        if took > 1:  # the others are not to blame for what they did not do meanwhile
            for other in self._timed:
                other.postpone(took)

    def _wait(self, connection: PersistentConnection) -> None:
        descriptor, wishes = connection.socket.fileno(), connection.wishes()
        if self._waiting.pop(descriptor, None) is None:
            if len(self._waiting) >= _MOST_WAITING:
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
            # A process that a handler has left behind may hold it open: then it stays in an epoll.
            self._poll.unregister(descriptor)

    def _sweep(self) -> None:
        """Look at connections whose time is over, and close those on which a request does not come to
        its end.
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
