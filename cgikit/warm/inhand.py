"""What a connection asks of the request that it is busy with, and of its script.

Protocols, for type checkers alone: `exchange.py` and `child.py` implement them and are not imported
here.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from ..host.problem import Problem

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

        def late(self) -> None:
            """Give up waiting for the body."""

        def abandon(self) -> None:
            """End: nobody waits for the answer any more."""

        def crashed(self, incident: str) -> None:
            """End after an error that nobody expected."""

        def give_up(self, problem: Problem) -> None:
            """Answer with a problem: the process ends."""
