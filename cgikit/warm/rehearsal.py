"""Preparation of a zygote before its first fork, so that its children have less memory to copy.

After a fork each page that parent or child writes to is copied. Python rewrites what it has run a few
times into a faster form and caches look-ups: once the zygote has done that, no child has
to. And the objects that a child makes do not lie between old ones. Nothing here changes what a script
sees; `test_warm_rehearsal.py` counts what each step saves.
"""

import os
import resource
import sys

from ..process import exit_handlers
from . import interpreter, requestfile, trial

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Protocol

    from .slottable import SlotTable

    class Rehearsing(Protocol):
        """The zygote, as far as a rehearsal needs it. `limits` are the resource limits of a script."""

        table: SlotTable
        limits: interpreter.Limits

        def attend(
            self,
            slot: int,
            file: str,
            ready: tuple[object, CodeType | None] | None,
            request: int,
            descriptors: tuple[int, int, int],
            limits: interpreter.Limits,
            rehearsal: int = 0,
        ) -> None:
            """Run a script in this process, which has so many descriptors open, and stay alive."""


# What nearly all scripts do
SCRIPTS = (
    """print("Content-Type: text/plain\\n\\nrehearsal")""",
    """
from cgikit import Request, Response, escape, run

def answer(request):
    return Response(f"<p>{escape(request.query.get('name', ''))}</p>")

if __name__ == "__main__":
    run(answer)
""",
)
VARIABLES = {
    "GATEWAY_INTERFACE": "CGI/1.1",
    "QUERY_STRING": "name=a%20b&x=1",
    "REMOTE_ADDR": "127.0.0.1",
    "REQUEST_METHOD": "GET",
    "REQUEST_URI": "/?name=a%20b&x=1",
    "SCRIPT_NAME": "/",
    "SERVER_NAME": "localhost",
    "SERVER_PORT": "80",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "SERVER_SOFTWARE": "rehearsal",
}
REHEARSALS = 24  # each; Python 3.11 needs 8 calls and as many loops, 3.13 twice that
# How Python's own allocator divides memory: into pools of objects of one size, each of which begins
# with a head; an object of up to MAX_SMALL bytes lies in one
POOL, POOL_HEAD, MAX_SMALL = 16_384, 48, 512
MAX_HOLES = 2_000  # in pools of one size
_EMPTY = sys.getsizeof(b"")  # bytes that an empty object takes


def rehearse(zygote: "Rehearsing") -> None:
    """Do in this process what its children will do, with scripts that say nothing of interest and an
    output that goes nowhere; then restore everything.

    That saves a child a sixth of the pages that it would copy.
    """
    environment, arguments, original = dict(os.environ), [*sys.argv], [*sys.orig_argv]
    path, main = sys.path[0], sys.modules["__main__"]
    streams = [(vars(stream), dict(vars(stream))) for stream in (sys.stdin, sys.stdout)]
    limits = [(kind, resource.getrlimit(kind)) for kind, _ in zygote.limits]
    null, saved = os.open(os.devnull, os.O_RDWR), os.dup(1)
    names = [os.fsencode(name) for name in VARIABLES]
    values = [os.fsencode(value) for value in VARIABLES.values()]
    request = requestfile.write((path, [], names, values))
    opened = len(trial.entries("/proc/self/fd")) - 1
    alone = "threading" not in sys.modules and exit_handlers() == 1
    for script in SCRIPTS:
        code = compile(script, "/rehearsal", "exec", dont_inherit=True)
        for _ in range(REHEARSALS):
            try:
                zygote.attend(0, "/rehearsal", (None, code), request, (0, null, 2), limits, opened)
            except interpreter.Leave:  # a thread runs, of a module that a person named
                pass
            if alone:  # otherwise modules have registered their own exit handlers by now
                interpreter.run_exit_handlers()
            for attributes, before in streams:
                attributes.clear()
                attributes.update(before)
    os.dup2(saved, 1)
    os.close(saved)
    os.close(null)
    os.close(request)
    for name in VARIABLES:
        if name in environment:
            os.environ[name] = environment[name]
        else:
            del os.environ[name]
    sys.argv[:], sys.orig_argv[:], sys.path[0] = arguments, original, path
    sys.modules["__main__"] = main
    zygote.table.pids[0] = zygote.table.statuses[0] = 0


def fill_holes() -> list[bytes]:
    """Return objects that take the free places between others in memory, so that what a child makes
    lies together, on pages of its own: to write beside an old object is to copy its page. That saves
    some pages of each child and as many between two forks, for 200 kB once.

    Returns [] where Python uses another allocator (PYTHONMALLOC, a build without the Python GIL): there
    are no such pools then.
    """
    if not _has_pools():
        return []
    kept = []
    for size in range(POOL_HEAD, MAX_SMALL + 1, 16):
        for _ in range(MAX_HOLES):
            kept.append(bytes(size - _EMPTY))
            if id(kept[-1]) % POOL == POOL_HEAD:  # the first place of a new pool
                break
    return kept


def _has_pools() -> bool:
    """Whether Python's own allocator is in use: then an object at the beginning of a pool is followed,
    with nothing in between, by the next one of its size.
    """
    places = [id(thing) for thing in [bytes(MAX_SMALL - _EMPTY) for _ in range(200)]]
    return any(
        place % POOL == POOL_HEAD and places[at + 1] == place + MAX_SMALL
        for at, place in enumerate(places[:-1])
    )
