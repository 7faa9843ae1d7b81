"""A real `cgikit fastcgi` of which one call-back raises, once, when it is told to.

As a program: `python injecting.py ORDER python -m cgikit fastcgi ROOT …`. `ORDER` is a file; while it
holds `MODULE:QUALIFIED.NAME before|after VARIABLE`, the next call of that function for a request that
has this variable (or for none at all) deletes the file and raises. `TARGETS` has the functions.
"""

import importlib
import os
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

#: Every call-back of the loops of worker and supervisor, as it is written where it is registered or
#: called: the module and the words of the source; then the function, how the test reaches it, and what
#: has to end.
TARGETS = {
    ("child", "self._on_out"): ("child:Child._on_out", "plain", "exchange"),
    ("child", "self._on_err"): ("child:Child._on_err", "plain", "exchange"),
    ("child", "self._on_in"): ("child:Child._on_in", "upload", "exchange"),
    ("child", "handler"): ("child:Child._on_out", "download", "exchange"),
    ("kept", "self._on_word"): ("kept:Kept._on_word", "reused", "exchange"),
    ("zygoteclient", "child.forked"): ("child:Child.forked", "plain", "exchange"),
    ("zygoteclient", "child.reaped"): ("child:Child.reaped", "plain", "exchange"),
    ("connection", "self._on_events"): ("connection:Connection._on_events", "upload", "exchange"),
    ("connections", "connection.receive"): ("connection:Connection.receive", "plain", "exchange"),
    ("connections", "self._tick_connection"): (
        "connections:Connections._tick_connection",
        "silent",
        "exchange",
    ),
    ("connection", "exchange.opened"): ("exchange:Exchange.opened", "plain", "exchange"),
    ("connection", "exchange.body"): ("exchange:Exchange.body", "upload", "exchange"),
    ("connection", "exchange.abandon"): ("exchange:Exchange.abandon", "abort", "exchange"),
    ("exchange", "following.start"): ("exchange:Exchange.start", "redirect", "exchange"),
    ("acceptor", "self._on_listener"): ("acceptor:Acceptor._on_listener", "plain", "exchange"),
    ("acceptor", "self._on_handover"): ("acceptor:Acceptor._on_handover", "kept", "worker"),
    ("supervisor", "self._turn"): ("supervisor:Supervisor._turn", "channel", "exchange"),
    ("supervisor", "self._look_at"): ("supervisor:Supervisor._look_at", "channel", "worker"),
    ("worker", "self._on_channel"): ("worker:Worker._on_channel", "channel", "worker"),
    ("worker", "self._on_zygote"): ("worker:Worker._on_zygote", "plain", "worker"),
    ("worker", "self._turn"): ("worker:Worker._turn", "plain", "worker"),
    ("worker", "self._on_signal"): ("worker:Worker._on_signal", "signal", "worker"),
    ("connections", "connection.hand_over"): (
        "connection:Connection.hand_over",
        "signal",
        "exchange",
    ),
    ("places", "exchange.recheck"): ("exchange:Exchange.recheck", "begins", "exchange"),
    ("places", "exchange.start"): ("exchange:Exchange.start", "queued", "exchange"),
    ("places", "exchange.tick"): ("exchange:Exchange.tick", "silent", "exchange"),
    ("places", "exchange.refuse"): ("exchange:Exchange.refuse", "late", "exchange"),
}

#: What the zygote's loop does for an order: the same columns.
ZYGOTE = {
    ("zygote:Zygote._ready", "plain", "exchange"),
    ("zygote:Zygote._reap", "plain", "worker"),
}
#: What waitress's loop asks and calls, for `cgikit serve`.
SERVE = {
    "channel:Channel.handle_read",
    "channel:Channel.handle_write",
    "channel:Channel.handle_close",
    "channel:Channel.received",
    "httpserver:_Listening.handle_accept",
    "httpserver:_Listening.maintenance",
    "channel:HTTPChannel.readable",
    "channel:HTTPChannel.writable",
}


class Injected(Exception):
    """What a call-back raises that was told to."""


def _is_victim(arguments: tuple[Any, ...], mark: str) -> bool:
    """Whether a call is about the request that is to suffer, or about none."""
    for each in arguments:
        each = getattr(each, "_owner", None) or getattr(each, "exchange", None) or each
        variables = getattr(each, "variables", None)
        if variables is not None:
            return mark in variables
    return True


def _raising(name: str, function: Callable[..., Any], order: str) -> Callable[..., Any]:
    @wraps(function)
    def called(*arguments: Any) -> Any:
        try:
            with open(order) as stream:
                wanted, when, mark = stream.read().split()
        except (FileNotFoundError, ValueError):
            return function(*arguments)
        if wanted != name or not _is_victim(arguments, mark):
            return function(*arguments)
        os.unlink(order)
        if when == "after":
            function(*arguments)
        raise Injected(name)

    return called


def arm(order: str, role: str) -> None:
    """In a process of the host: have all targets look for their order."""
    names = {target for target, _, _ in TARGETS.values()}
    if role == "zygote":
        names = {target for target, _, _ in ZYGOTE}
    if "serve" in sys.argv:
        names = SERVE
    for name in names:
        module, _, path = name.partition(":")
        holder, function = path.split(".")
        room = "cli" if name in SERVE else "warm"
        kind = getattr(importlib.import_module(f"cgikit.{room}.{module}"), holder)
        setattr(kind, function, _raising(name, getattr(kind, function), order))


if __name__ == "__main__":
    from cgikit.cli import main
    from cgikit.warm import workerprocess

    here, place = os.path.dirname(os.path.abspath(__file__)), sys.argv[1]
    arm(place, "supervisor")
    workerprocess.ASKING = 0.1
    workerprocess._CODE = (
        f"import sys; sys.path[0] = sys.argv.pop(1); sys.path.append({here!r})\n"
        f"import injecting; injecting.arm({place!r}, '{{0}}')\n"
        "from cgikit.warm.{0} import main; sys.exit(main())"
    )
    sys.exit(main(sys.argv[sys.argv.index("cgikit") + 1 :]))
