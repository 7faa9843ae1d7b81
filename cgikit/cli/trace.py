"""`cgikit trace SCRIPT [name=value…]`: what the time of one request goes into.

Only the command is here; `cgikit.tracing` measures and prints. The words after the script are those of
the script's own command line (`cgikit.offline`).
"""

import argparse
import errno
import os
import statistics
import sys
from collections.abc import Callable

from cgikit import offline
from cgikit.characters import printable
from cgikit.checking.identity import who_runs
from cgikit.host.environ import inherited
from cgikit.tracing import events, html, measure, svg, text
from cgikit.tracing.folding import middle
from cgikit.tracing.step import Trace

from .commandline import complain
from .options import number
from .terminal import width

_OF_REQUESTS = ("AUTH_TYPE", "CGIKIT_", "HTTP_", "HTTPS", "REMOTE_", "SERVER_")
_MOST = 1_000  # runs
_COMPARED = 5  # runs from which on the cost of asking is measured, too


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add this command's parser to the sub-parsers of the command line."""
    parser = commands.add_parser(
        "trace",
        help="show what the time of one request goes into",
        description="Run a script for one request, and show what its time goes into: fork, exec, the "
        "interpreter, each import, the script. The request is written as for the script itself: "
        "name=value, or a method, a path and options (docs/script.md).",
        epilog="Example: cgikit trace hello.py name=Ada\nDocumentation: docs/trace.md",
    )
    parser.set_defaults(command=trace)
    parser.add_argument(
        "--runs",
        "-n",
        type=number(1, _MOST),
        default=1,
        metavar="N",
        help="run it so often, and show medians and spread (default: 1)",
    )
    parser.add_argument(
        "--html", metavar="FILE", help="write a page with everything, which loads nothing"
    )
    parser.add_argument("--svg", metavar="FILE", help="write the steps as a picture")
    parser.add_argument(
        "--json", action="store_true", help="print trace events, as Perfetto reads them"
    )
    parser.add_argument("script", metavar="SCRIPT", help="the script's file")
    parser.add_argument("words", metavar="WORD", nargs=argparse.REMAINDER, help="the request")


def trace(arguments: argparse.Namespace) -> int:
    """Measure, and print; return the exit status (int)."""
    file = os.path.abspath(arguments.script)
    try:
        os.stat(file)
        environment, body = _request(file, arguments.words)
        traces, plain = _measure(file, environment, body, arguments.runs)
    except OSError as error:
        complain("trace", f"{arguments.script}: {error.strerror}")
        return 1
    except measure.Failed as error:
        complain("trace", str(error))
        return 1
    cost = _cost(traces, plain)
    try:
        _write(file, arguments.html, lambda: html.page(traces, cost))
        _write(file, arguments.svg, lambda: svg.waterfall([middle(traces)]))
    except OSError as error:
        complain("trace", f"{error.filename}: {error.strerror}")
        return 1
    if arguments.json:
        print(events.as_json(traces))
    else:
        _print(arguments.script, traces, cost)
    return 0


def _write(script: str, file: str | None, made: Callable[[], str]) -> None:
    """Write what was made into a file, if one was named. The script itself is not overwritten."""
    if file is None:
        return
    if os.path.exists(file) and os.path.samefile(file, script):
        raise FileExistsError(errno.EEXIST, "this is the script; name another file", file)
    with open(file, "w", encoding="utf-8", errors="backslashreplace") as stream:
        stream.write(made())


def _measure(
    file: str, environment: dict[str, str], body: bytes, runs: int
) -> tuple[list[Trace], list[Trace]]:
    """Return the traces and, from `_COMPARED` runs on, as many without the steps inside, in turn."""
    traces, plain = [], []
    user, _ = who_runs(file)
    for _ in range(runs):
        traces.append(measure.measure(file, environment, body, user=user))
        if runs >= _COMPARED:
            plain.append(measure.measure(file, environment, body, inside=False, user=user))
    return traces, plain


def _cost(traces: list[Trace], plain: list[Trace]) -> float | None:
    """Return what asking the interpreter took (microseconds), None if that is not known."""
    one = middle(traces)
    if not plain or not one.is_inside:
        return None
    asked, not_asked = (statistics.median(t.total for t in some) for some in (traces, plain))
    return asked - not_asked


def _print(script: str, traces: list[Trace], cost: float | None) -> None:
    one = middle(traces)
    print(f"{printable(script)}: exit status {one.status}, {one.size} bytes")
    for line in text.tree(one, width()):
        print(line)
    if len(traces) > 1:
        print()
        for line in text.spread(traces):
            print(line)
    print()
    for line in text.verdict(one, cost):
        print(line)
    for line in one.errors[:10]:
        print(f"stderr: {printable(line)}")


def _request(file: str, words: list[str]) -> tuple[dict[str, str], bytes]:
    """Return the environment and the body of the request that the words describe."""
    found, body = offline.request([file, *words])
    # Of this process's own environment a script gets what a server gives it, and variables of a request
    variables = {
        name: value
        for name, value in found.items()
        if os.environ.get(name) != value or name.startswith(_OF_REQUESTS)
    }
    kept = inherited(os.environ, ["PYTHONPATH"], path_first=os.path.dirname(sys.executable))
    return {**kept, **variables}, body.read()
