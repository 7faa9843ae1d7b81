"""The commands `cgikit fastcgi` and `cgikit scgi`: run scripts for a web server.

This module has their options, their console, their start and their end. The workers are in
`cgikit.warm`, the protocols in `cgikit.gateway`.
"""

import argparse
import os
import signal
import sys
from types import FrameType

from cgikit.gateway import listener as sockets
from cgikit.gateway.listener import Listener, ListenError
from cgikit.host.environ import inherited
from cgikit.warm.loglines import LogLines
from cgikit.warm.settings import Settings
from cgikit.warm.supervisor import Supervisor

from . import oldnames
from .commandline import complain
from .options import (
    add_environment,
    add_root,
    cannot_enter,
    cannot_run,
    number,
    passing,
    unset,
)

_TITLES = {"fastcgi": "FastCGI", "scgi": "SCGI"}


def add_command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", protocol: str
) -> None:
    """Add the command for a protocol to the sub-parsers of the command line."""
    title = _TITLES[protocol]
    parser = commands.add_parser(
        protocol,
        help=f"run scripts for a web server that speaks {title}",
        description=f"Run the scripts of a directory, or one script, for a web server that speaks "
        f"{title}. Python scripts run warm: each request gets a process, forked from an interpreter "
        "that has already imported the modules the scripts use.",
        epilog=f"Example: cgikit {protocol} cgi-bin --socket 127.0.0.1:9000\n"
        "Documentation: page reference/warm",
    )
    parser.set_defaults(command=lambda arguments: _serve(protocol, arguments))
    add_root(parser)
    _add_socket(parser)
    _add_ways_to_run(parser)
    add_environment(parser)
    oldnames.add_to(parser)
    _add_passing(parser)
    _add_limits(parser)


def _add_socket(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--socket",
        metavar="ADDRESS",
        help="path of a UNIX socket, or HOST:PORT such as 127.0.0.1:9000 or [::1]:9000 (default: the "
        "socket passed by systemd, the web server or spawn-fcgi)",
    )
    parser.add_argument(
        "--mode",
        type=_mode,
        default=0o600,
        metavar="OCTAL",
        help="permissions of the UNIX socket (default: 0600)",
    )
    parser.add_argument(
        "--public",
        action="store_true",
        help="allow a HOST that other machines can reach",
    )
    parser.add_argument(
        "--prefix",
        type=_prefix,
        metavar="PATH",
        help="URL path of ROOT, such as /cgi-bin; / for the whole site",
    )


def _add_ways_to_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--spawn", action="store_true", help="start a new interpreter for every request"
    )
    parser.add_argument(
        "--preload",
        action="append",
        default=[],
        metavar="MODULE",
        help="import this module in advance (may be repeated); most are learned automatically",
    )
    parser.add_argument(
        "--reuse",
        action="append",
        default=[],
        metavar="PATTERN",
        help="let a process of these scripts serve one request after another, as long as no change is "
        "seen in it; the name of a script, or its path below ROOT, with * and ? (may be repeated)",
    )
    parser.add_argument(
        "--stderr",
        choices=("log", "server"),
        default="log",
        help="where the scripts' standard error goes: this command's log, or the web server's "
        "(default: log)",
    )


def _add_passing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--pass",
        action="append",
        default=[],
        type=passing,
        dest="passing",
        metavar="NAME",
        help="also pass this variable of the web server to the scripts; PREFIX_* passes all that "
        "begin with PREFIX_ (may be repeated)",
    )


def _add_limits(parser: argparse.ArgumentParser) -> None:
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2
    for option, default, least, most, what in (
        ("--workers", processors, 1, 256, "number of worker processes"),
        ("--children", 256, 1, 1_000, "scripts that one worker runs at once"),
        ("--queue", 256, 0, 100_000, "requests that wait in one worker; more get 503"),
        ("--reuse-max", 1_000, 1, 1 << 20, "requests that one process serves, with --reuse"),
        ("--timeout", 60, 1, 86_400, "seconds until the headers, and of silence after them"),
        ("--total", 3_600, 1, 864_000, "seconds that a script may run in all"),
        ("--body", 1_024, 1, 1 << 20, "MiB of a request's body; a larger one gets 413"),
        ("--spool", 1_024, 0, 1 << 20, "MiB of an answer that wait on disk for a slow client"),
        ("--memory", 1_024, 64, 1 << 20, "MiB of address space for one Python script"),
        ("--processes", 1_024, 16, 1 << 20, "processes of the user, beyond which no script forks"),
    ):
        parser.add_argument(
            option,
            type=number(least, most),
            default=default,
            metavar="N",
            help=f"{what} (default: {default})",
        )


def _serve(protocol: str, arguments: argparse.Namespace) -> int:
    root = os.path.realpath(arguments.root)
    if protocol == "scgi" and arguments.stderr == "server":
        return _fail(protocol, "SCGI cannot write to the web server's log: omit --stderr server")
    why_not = cannot_enter if os.path.isdir(arguments.root) else cannot_run
    if wrong := why_not(arguments.root):
        return _fail(protocol, wrong)
    try:
        listener = _listener(arguments)
    except ListenError as error:
        return _fail(protocol, str(error))
    if listener is None:
        return _fail(
            protocol,
            "there is no socket: give --socket, or start this from systemd or spawn-fcgi, which pass "
            "one",
        )
    environment = inherited(
        os.environ, ["CGIKIT_DEBUG", *arguments.env], path_first=os.path.dirname(sys.executable)
    )
    if arguments.compat:
        environment = oldnames.on_path(environment)
    for line in unset(arguments.env):
        complain(protocol, line)
    settings = _settings(protocol, root, environment, arguments)

    def started() -> None:
        print(
            f"Serving {arguments.root} over {_TITLES[protocol]} at {listener.address} "
            f"({arguments.workers} workers; SIGHUP reloads, SIGTERM drains)",
            flush=True,
        )

    supervisor = Supervisor(
        listener,
        settings,
        workers=arguments.workers,
        environment=environment,
        log=LogLines(),  # not sys.stderr, which encodes by the locale
        started=started,
    )
    _obey_signals(supervisor)
    try:
        return supervisor.run()
    finally:
        listener.remove()


def _settings(
    protocol: str, root: str, environment: dict[str, str], arguments: argparse.Namespace
) -> Settings:
    return Settings(
        root=root,
        protocol=protocol,
        prefix=arguments.prefix or "",
        mount=arguments.prefix,
        peers=os.environ.get("FCGI_WEB_SERVER_ADDRS", "") if protocol == "fastcgi" else "",
        warm=not arguments.spawn,
        debug=environment.get("CGIKIT_DEBUG") == "1",
        preload=[*arguments.preload, *(oldnames.PRELOADED if arguments.compat else ())],
        pass_on=arguments.passing,
        reuse=arguments.reuse,
        reuse_max=arguments.reuse_max,
        timeout=float(arguments.timeout),
        patience=float(min(max(arguments.timeout, 10), 30)),
        total=float(arguments.total),
        children=arguments.children,
        queue=arguments.queue,
        body=arguments.body << 20,
        spool=arguments.spool << 20,
        stderr_out=arguments.stderr == "server",
        temporary=os.environ.get("TMPDIR") or "/tmp",  # noqa: S108 -- files without a name
        memory=arguments.memory << 20,
        processes=arguments.processes,
    )


def _listener(arguments: argparse.Namespace) -> Listener | None:
    if arguments.socket is None:
        return sockets.inherited()
    return sockets.listen(arguments.socket, mode=arguments.mode, public=arguments.public)


def _obey_signals(supervisor: Supervisor) -> None:
    asked: list[int] = []

    def end(number: int, frame: FrameType | None) -> None:
        asked.append(number)
        # Ctrl-C, or a second request to end, means at once
        if number == signal.SIGINT or len(asked) > 1:
            supervisor.stop()
        else:
            supervisor.drain()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGHUP, lambda number, frame: supervisor.reload())


def _fail(protocol: str, message: str) -> int:
    complain(protocol, message)
    return 1


def _mode(text: str) -> int:
    try:
        mode = int(text, 8)
    except ValueError:
        mode = -1
    if not 0 <= mode <= 0o777:
        raise argparse.ArgumentTypeError(f"{text!r} is not a file mode such as 0660")
    return mode


def _prefix(text: str) -> str:
    path = text.rstrip("/")
    if path and not path.startswith("/"):
        raise argparse.ArgumentTypeError(f"{text!r} does not begin with a slash, as /cgi-bin does")
    return path
