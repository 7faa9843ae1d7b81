"""What was seen of one request: plain data, filled in while its scripts run.

RFC 3875 names the parts: the request, the meta-variables, standard input and standard output. All sizes
are bytes, all times are seconds by `time.monotonic`. `recorder.py` fills these objects in and limits
their sizes.
"""

import time
from collections.abc import Callable, Mapping

from cgikit.host.environ import ServerRequest

Room = Callable[[int], int]


class Stream:
    """The beginning of a stream of bytes. `length` is that of the whole stream so far (int)."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._kept = bytearray()
        self.length = 0

    @property
    def kept(self) -> bytes:
        """What was kept of it (bytes)."""
        return bytes(self._kept)

    @property
    def is_cut(self) -> bool:
        """Whether the stream had more than what was kept."""
        return self.length > len(self._kept)

    def add(self, data: bytes) -> None:
        """Count more bytes, and keep as many of them as there is room for."""
        if not self.is_cut:  # else what follows would look like the next piece
            self._kept += data[: self._room(len(data))]
        self.length += len(data)


class ScriptRun:
    """One run of a script. A request has several of them if they redirect locally.

    `file`, `interpreter`, `arguments` and `environment` are those of the process. `stdin` and `stdout`
    are streams, `errors` the lines of standard error. `began` is when it was to be started, `started`
    when its process existed, `first` when its first output came, `ended` when it was reaped; None if
    that has not happened. `status` is its exit status, negative for a signal.
    """

    def __init__(
        self,
        file: str,
        environment: Mapping[str, str],
        arguments: tuple[str, ...],
        interpreter: str,
        has_body: bool,
        room: Callable[[], Room],
    ) -> None:
        self.file = file
        self.environment = environment
        self.arguments = arguments
        self.interpreter = interpreter
        self.has_body = has_body
        self.stdin = Stream(room())
        self.stdout = Stream(room())
        self.stderr = Stream(room())
        self.began = time.monotonic()
        self.started: float | None = None
        self.first: float | None = None
        self.ended: float | None = None
        self.status: int | None = None

    @property
    def script_name(self) -> str:
        """The script's URL path (str)."""
        return self.environment.get("SCRIPT_NAME", "")


class Exchange:
    """A request and what came of it. `number` counts from 1; `clock` is when it came (`time.time`).

    `status` is that of the answer, 0 as long as there is none; `headers` are its fields. `runs` are the
    scripts that ran for it. `replay_of` is the number of the request that this one repeats, or 0.
    """

    def __init__(self, number: int, request: ServerRequest, replay_of: int = 0) -> None:
        self.number = number
        self.request = request
        self.replay_of = replay_of
        self.clock = time.time()
        self.began = time.monotonic()
        self.ended: float | None = None
        self.status = 0
        self.headers: tuple[tuple[str, str], ...] = ()
        self.runs: list[ScriptRun] = []

    def header(self, name: str) -> str:
        """Return the value of a header field of the request (str), "" if it has none."""
        return next((v for n, v in self.request.headers if n.lower() == name.lower()), "")

    @property
    def is_background(self) -> bool:
        """Whether a page's script made this request, and not its reader (Fetch Metadata: an empty
        destination), as far as browsers say so.
        """
        return (
            self.header("Sec-Fetch-Dest") == "empty"
            or self.header("X-Requested-With").lower() == "xmlhttprequest"
        )

    @property
    def leads_to(self) -> str:
        """Where the answer sends the client (str), "" if it is not a redirect."""
        if not 300 <= self.status < 400:
            return ""
        return next((v for n, v in self.headers if n.lower() == "location"), "")

    @property
    def body(self) -> Stream | None:
        """What the first script was sent of the request's body, or None if there is none."""
        return self.runs[0].stdin if self.runs and self.runs[0].has_body else None
