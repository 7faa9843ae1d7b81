"""The interface through which an exchange and its child use their worker. For type checkers alone.

A protocol: `worker.py` implements it and is not imported here, nor by the modules that use it.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from ..host.background import Background
    from ..host.refusals import Refusals
    from .header import KnownBlocks
    from .kept import Keeper
    from .launcher import Launcher
    from .loop import Loop
    from .places import Places
    from .settings import Settings
    from .zygoteclient import ZygoteClient

    class ExchangeHost(Protocol):
        """The worker, as far as one request may use it.

        `settings` come from the supervisor. `loop` has the descriptors, the clock and the guard.
        `zygote` forks and reaps, `places` says whose turn it is, `launcher` how a script is run,
        `keeper` has the processes that serve several requests.
        `single` tells whether one script answers everything. `null` is a descriptor of the null
        device. `known_blocks` are header blocks that were judged, `refusals` those that the log has,
        `background` the scripts that leave processes behind.
        """

        settings: Settings
        loop: Loop
        zygote: ZygoteClient
        places: Places
        launcher: Launcher
        keeper: Keeper
        single: bool
        null: int
        known_blocks: KnownBlocks
        refusals: Refusals
        background: Background

        def log(self, line: str, /) -> None:
            """Write a line to the log."""

        def log_once(self, line: str, /) -> None:
            """Write a line that would come back with every request to the log, the first time."""
