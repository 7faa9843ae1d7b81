"""`cgikit trace SCRIPT [name=value…]`: what the time of one request goes into.

Only the command is here; `cgikit.tracing` measures and prints. The words after the script are those of
the script's own command line (`cgikit.offline`).
"""

import argparse
import errno
import os
import sys
import textwrap
from collections.abc import Callable

from cgikit import offline
from cgikit.characters import printable
from cgikit.checking.account import Account
from cgikit.checking.identity import who_runs
from cgikit.host.environ import inherited
from cgikit.tracing import events, html, svg, text
from cgikit.tracing.comparison import TracedRequest
from cgikit.tracing.folding import middle
from cgikit.tracing.legend import legend
from cgikit.tracing.measure import Failed
from cgikit.tracing.measured import Measured, measure_all

from .commandline import complain, ending
from .options import number
from .streams import can_write
from .terminal import Progress, paint, width

_OF_REQUESTS = ("AUTH_TYPE", "CGIKIT_", "HTTP_", "HTTPS", "REMOTE_", "SERVER_")
_OF_SERVERS = ("CGIKIT_REQUESTS", "CGIKIT_STDERR", "CGIKIT_WORKERS")
_MOST = 1_000  # runs
#: The colours of bars, as on the page.
_STYLES = {
    "fork": "dim", "exec": "dim", "reaped": "dim", "interpreter": "magenta", "site": "magenta",
    "compile": "magenta", "script": "blue", "program": "blue", "import": "cyan", "exit": "advice",
    "way": "ok",
}  # fmt: skip


#: Behind the script they would be a part of the request.
_OPTIONS = (
    "--html",
    "--svg",
    "--json",
    "--imports",
    "--explain",
    "--runs",
    "--compare",
    "--no-compare",
    "--user",
)


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add this command's parser to the sub-parsers of the command line."""
    parser = commands.add_parser(
        "trace",
        help="show what the time of one request goes into",
        description="Run a script for one request, and show what its time goes into: fork, exec, the "
        "interpreter, each import, the script. The request is written as for the script itself: "
        "name=value, or a method, a path and options (page reference/script).",
        epilog="Example: cgikit trace hello.py name=Ada\nDocumentation: page reference/trace",
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
        "--compare",
        action=argparse.BooleanOptionalAction,
        help="also run it warm and persistent, several times each (for GET and HEAD)",
    )
    parser.add_argument(
        "--imports", action="store_true", help="also list the imports that took longest"
    )
    parser.add_argument("--explain", action="store_true", help="also say what each step is")
    parser.add_argument(
        "--html", metavar="FILE", help="write a page with everything, which loads nothing"
    )
    parser.add_argument("--svg", metavar="FILE", help="write the steps as a picture")
    parser.add_argument(
        "--json", action="store_true", help="print trace events, as Perfetto reads them"
    )
    parser.add_argument(
        "--user", metavar="NAME", help="run it as this user, such as www-data (only root can)"
    )
    parser.add_argument("script", metavar="SCRIPT", help="the script's file")
    parser.add_argument("words", metavar="WORD", nargs=argparse.REMAINDER, help="the request")


def trace(arguments: argparse.Namespace) -> int:
    """Measure, and print; return the exit status (int)."""
    own = [word for word in arguments.words if word.partition("=")[0] in _OPTIONS]
    if own:
        complain("trace", f"{own[0]} is an option of trace: write it before {arguments.script}")
        return 2
    if arguments.user and (wrong := _wrong_user(arguments.user)):
        complain("trace", wrong)
        return 2
    try:
        file = os.path.abspath(arguments.script)
        os.stat(file)
        found = _measure(arguments, _request(file, arguments.words, arguments.user))
    except OSError as error:
        complain("trace", f"{arguments.script}: {error.strerror}")
        return 1
    except Failed as error:
        complain("trace", str(error))
        return 1
    try:
        _write(file, arguments.html, lambda: html.page(found.traces, found.cost, found.ways))
        _write(file, arguments.svg, lambda: svg.waterfall([middle(found.traces)], found.ways))
    except OSError as error:
        complain("trace", f"{error.filename}: {error.strerror}")
        return 1
    if found.is_changed:
        complain(
            "trace",
            f"{printable(arguments.script)} was changed or removed while it was measured, so not all "
            "numbers are of the same program; trace it again",
        )
    if arguments.json:
        print(events.as_json(found.traces, found.ways))
    else:
        _print(arguments.script, found, arguments.imports)
        if arguments.explain:
            _explain(found)
    return 0


def _wrong_user(name: str) -> str:
    """Return why a script cannot be run as this user (str), "" if it can."""
    try:
        user = Account.named(name)
    except KeyError:
        return f"this machine has no user {name!r}; name one of /etc/passwd"
    if os.geteuid() and user.uid != os.geteuid():
        return f"--user {name}: only root can run a script as another user; use sudo"
    return ""


def _write(script: str, file: str | None, made: Callable[[], str]) -> None:
    """Write what was made into a file, if one was named. The script itself is not overwritten."""
    if file is None:
        return
    if os.path.exists(file) and os.path.samefile(file, script):
        raise FileExistsError(errno.EEXIST, "this is the script; name another file", file)
    with open(file, "w", encoding="utf-8", errors="backslashreplace") as stream:
        stream.write(made())


def _measure(arguments: argparse.Namespace, request: TracedRequest) -> Measured:
    """Measure, and say on standard error what is run how often, and how far it is."""
    name = printable(arguments.script)
    with ending(), Progress() as bar:

        def announce(more: int) -> None:
            bar.clear()
            complain(
                "trace",
                f"{name} runs up to {more} times more, to compare CGI, warm and persistent "
                "(--no-compare leaves that out)",
            )

        return measure_all(request, arguments.runs, arguments.compare, announce, bar)


def _print(script: str, found: Measured, imports: bool) -> None:
    one = middle(found.traces)
    end = paint(f"exit status {one.status}", "error" if one.status else "ok", sys.stdout)
    of = f"; the run with the median time, of {len(found.traces)}" if len(found.traces) > 1 else ""
    print(f"{printable(script)}: {end}, {one.size} bytes{of}")
    block = text.BLOCK if can_write(text.BLOCK, sys.stdout) else "#"
    for row in text.rows(one, width(), found.ways, block):
        style = _STYLES.get(row.kind)
        print((row.words + (paint(row.bar, style, sys.stdout) if style else row.bar)).rstrip())
    if len(found.traces) > 1:
        print()
        for line in text.spread(found.traces):
            print(line)
    if imports and (lines := text.dearest(one)):
        print()
        print(*lines, sep="\n")
    print()
    for line in text.verdict(one, found.cost, found.ways):
        print(line)
    for line in one.errors[:10]:
        print(f"stderr: {printable(line)}")


def _explain(found: Measured) -> None:
    """Print the legend, each entry below its name, in the width of the terminal."""
    print()
    for name, what in legend(middle(found.traces), found.ways):
        lines = textwrap.wrap(what, max(30, width() - 14))
        print(f"{name:12}", f"\n{'':13}".join(lines))


def _request(file: str, words: list[str], runs_as: str | None) -> TracedRequest:
    """Return the request that the words describe, by the user of that name, or by one that is chosen.
    Raises `Failed` if that user cannot come to the script.
    """
    found, body = offline.request([file, *words])
    # Of this process's own environment a script gets what a server gives it, and variables of a request
    variables = {
        name: value
        for name, value in found.items()
        if os.environ.get(name) != value or name.startswith(_OF_REQUESTS)
    }
    base = inherited(os.environ, ["PYTHONPATH"], path_first=os.path.dirname(sys.executable))
    # What a script is told for all requests; how many processes it makes is not for a single one
    settings = [name for name in variables if name.startswith("CGIKIT_")]
    base |= {name: variables.pop(name) for name in settings}
    for name in _OF_SERVERS:
        base.pop(name, None)
    user, why = (Account.named(runs_as), "") if runs_as else who_runs(file, base["PATH"])
    if user.uid != os.geteuid() or why:  # what the script may do and write depends on it
        reason = f" ({why})" if why else ""
        complain("trace", f"{printable(file)}: running it as {user.name}{reason}")
    closed = user.closed_directory(file)
    if closed is not None:
        raise Failed(
            f"{file}: {user.name}, who runs it, cannot enter the directory {closed}; "
            "move the script, or let that user enter it"
        )
    return TracedRequest(file, base, variables, body.read(), user)
