"""The interfaces through which a connection uses its current request, that script, and its owner.

Protocols, for type checkers alone: `exchange.py`, `child.py` and `connections.py` implement them and
are not imported here.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    from ..host.problem import Problem
    from .settings import Settings

    class Source(Protocol):
        """A script whose output goes out here. `ahead` is how many bytes may wait for the peer before
        the script has to wait too, `paused_at` since when it does (0: it does not).
        """

        ahead: int
        paused_at: float

        def pause(self) -> None:
            """Make the script wait."""

        def resume(self) -> None:
            """Let the script go on."""

    class InHand(Protocol):
        """The request that a connection is busy with. `request` is its number in the protocol."""

        request: int

        @property
        def child(self) -> Source | None:
            """The script, None while there is none."""

        @property
        def is_owed(self) -> bool:
            """Whether the peer still has to send some of the body."""

        def opened(self) -> None:
            """Begin: the variables are here."""

        def body(self, data: bytes) -> None:
            """Take a piece of the body; b"" is its end."""

        def body_timed_out(self) -> None:
            """Give up waiting for the body."""

        def abandon(self) -> None:
            """End: nobody waits for the answer any more."""

        def crashed(self, incident: str) -> None:
            """End after an error that nobody expected."""

        def give_up(self, problem: Problem) -> None:
            """Answer with a problem: the process ends."""

    class Registry(Protocol):
        """The keeper of all connections. `draining` is set once no further requests are taken.

        The connections are not typed: a protocol that names the class that asks for it would close a
        circle.
        """

        draining: bool
        settings: Settings

        def begin_exchange(
            self, connection: Any, request: int, variables: dict[str, str], /
        ) -> InHand:
            """Return a new exchange for a request that has come."""

        def hand_over(self, connection: Any, /) -> bool:
            """Let another worker go on with a connection. False if that is not possible."""

        def closed(self, connection: Any, /) -> None:
            """Forget a connection: its socket is closed."""

        def log(self, line: str, /) -> None:
            """Write a line to the log."""
