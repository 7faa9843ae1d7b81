"""The states of one request in a worker, and the events that lead from each to the next. Pure.

| state    | meaning                                                                       |
|----------|-------------------------------------------------------------------------------|
| ARRIVING | the variables are here, perhaps not all of the body; no script is asked for   |
| WAITING  | the script has been asked for and is not running yet                          |
| HEADER   | the script runs; its header block is not complete                             |
| READY    | the header block is complete; nothing of the answer has left this process     |
| SENDING  | part of the answer has been handed to the connection                          |
| REDIRECT | the script asked for another path on this server                              |
| FAILING  | the script is being stopped; a page will say why                              |
| BREAKING | the script is being stopped, and part of the answer is out                    |
| DONE     | nobody waits for anything more; the script may still run                      |

Each row of the next table is an event, each column a state, each cell the state that follows. An empty
cell is an event that cannot happen in that state: `IllegalTransition`, which the guard of the loop
turns into a page with an incident number (see `guard.py`).

| event      | ARRIVING | WAITING | HEADER   | READY   | SENDING  | REDIRECT | FAILING | BREAKING | DONE
|------------|----------|---------|----------|---------|----------|----------|---------|----------|-----
| ASKED      | WAITING  | WAITING |          |         |          |          |         |          |
| LAUNCHED   |          | HEADER  |          |         |          |          |         |          |
| JUDGED     |          |         | READY    |         |          |          |         |          |
| REDIRECTED |          |         | REDIRECT |         |          |          |         |          |
| SENT       |          |         |          | SENDING | SENDING  |          |         |          |
| STOPPED    |          |         | FAILING  | FAILING | BREAKING | FAILING  | FAILING | BREAKING | DONE
| TAKEN_BACK |          |         |          |         | READY    |          |         | FAILING  |
| REPLACED   | READY    | READY   | READY    | READY   |          | READY    | READY   |          |
| OVER       | DONE     | DONE    | DONE     | DONE    | DONE     | DONE     | DONE    | DONE     | DONE

ASKED: a place for the script was asked for, again when its turn has come. LAUNCHED: its process was
asked for. JUDGED: its header block is complete, or is not to be judged. SENT: part of the answer goes
to the connection. STOPPED: the script took too long or printed something that cannot be sent.
TAKEN_BACK: output still queued on the connection was discarded. REPLACED: an error page takes the place
of the answer. OVER: the answer has ended or was cut, or the client disconnected.
"""

ARRIVING, WAITING, HEADER, READY, SENDING, REDIRECT, FAILING, BREAKING, DONE = STATES = (
    "arriving", "waiting", "header", "ready", "sending", "redirect", "failing", "breaking", "done",
)  # fmt: skip


class IllegalTransition(RuntimeError):
    """An event that cannot happen in the state that the exchange is in: a bug in cgikit."""


class Event(dict[str, str]):
    """An event: `event[state]` is the state that follows. `IllegalTransition` if there is none."""

    def __init__(self, name: str, after: dict[str, str]) -> None:
        super().__init__(after)
        self.name = name

    def __missing__(self, state: str) -> str:
        raise IllegalTransition(f"{self.name!r} cannot happen to an exchange that is {state!r}")


ASKED = Event("asked", {ARRIVING: WAITING, WAITING: WAITING})
LAUNCHED = Event("launched", {WAITING: HEADER})
JUDGED = Event("judged", {HEADER: READY})
REDIRECTED = Event("redirected", {HEADER: REDIRECT})
SENT = Event("sent", {READY: SENDING, SENDING: SENDING})
STOPPED = Event(
    "stopped",
    {
        HEADER: FAILING, READY: FAILING, SENDING: BREAKING, REDIRECT: FAILING,
        FAILING: FAILING, BREAKING: BREAKING, DONE: DONE,
    },
)  # fmt: skip
TAKEN_BACK = Event("taken back", {SENDING: READY, BREAKING: FAILING})
REPLACED = Event(
    "replaced",
    dict.fromkeys((ARRIVING, WAITING, HEADER, READY, REDIRECT, FAILING), READY),
)
OVER = Event("over", dict.fromkeys(STATES, DONE))
