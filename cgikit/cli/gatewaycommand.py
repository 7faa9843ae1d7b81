"""What `cgikit fastcgi` and `cgikit scgi` share: a tree of scripts, served to a web server.

Only the commands are here: their options, their console, their start and end. The workers are in
`cgikit.host`, the protocols in `cgikit.gateway`.
"""

import argparse
import os
import shlex
import signal
import sys
from collections.abc import Iterable
from types import FrameType

from cgikit.gateway import listener as sockets
from cgikit.gateway.listener import Listener, ListenError
from cgikit.host.environ import inherited
from cgikit.warm import allowlist
from cgikit.warm.loglines import LogLines
from cgikit.warm.settings import Settings
from cgikit.warm.supervisor import Supervisor

from . import oldnames

_TITLES = {"fastcgi": "FastCGI", "scgi": "SCGI"}


def add_command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", protocol: str
) -> None:
    """Add the command for a protocol to the sub-parsers of the command line."""
    title = _TITLES[protocol]
    parser = commands.add_parser(
        protocol,
        help=f"serve scripts to a web server over {title}",
        description=f"Run the scripts of a directory, or one script, for a web server that speaks "
        f"{title}. Python scripts run warm: a process for each request, forked from an interpreter "
        "that has imported what they use.",
        epilog=f"Example: cgikit {protocol} cgi-bin --socket 127.0.0.1:9000",
    )
    parser.set_defaults(command=lambda arguments: _serve(protocol, arguments))
    parser.add_argument("root", metavar="ROOT", help="the directory of scripts, or one script")
    parser.add_argument(
        "--socket",
        metavar="ADDRESS",
        help="path of a UNIX socket, or HOST:PORT such as 127.0.0.1:9000 or [::1]:9000 (default: the "
        "socket that systemd, the web server or spawn-fcgi hands over)",
    )
    parser.add_argument(
        "--mode", type=_mode, default=0o600, metavar="OCTAL", help="of a UNIX socket (0600)"
    )
    parser.add_argument(
        "--public", action="store_true", help="let HOST be an address that others can reach"
    )
    parser.add_argument(
        "--prefix",
        type=_prefix,
        metavar="PATH",
        help="URL path of ROOT, as /cgi-bin; / for the root",
    )
    parser.add_argument(
        "--spawn", action="store_true", help="start an interpreter for every request"
    )
    parser.add_argument(
        "--preload",
        action="append",
        default=[],
        metavar="MODULE",
        help="import this module in advance (may be repeated); most are learnt",
    )
    parser.add_argument(
        "--stderr",
        choices=("log", "server"),
        default="log",
        help="where what scripts write to standard error goes: our log, or the web server's (log)",
    )
    _add_variables(parser)
    _add_limits(parser)


def _add_variables(parser: argparse.ArgumentParser) -> None:
    oldnames.add_to(parser)
    parser.add_argument(
        "--env",
        action="append",
        default=[],
        type=environment_name,
        metavar="NAME",
        help="also pass this variable of our own environment to the scripts (may be repeated)",
    )
    parser.add_argument(
        "--pass",
        action="append",
        default=[],
        type=passing,
        dest="passing",
        metavar="NAME",
        help="also pass this variable of the web server to the scripts, or PREFIX_* all that begin so "
        "(may be repeated)",
    )


def _add_limits(parser: argparse.ArgumentParser) -> None:
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2
    for option, default, least, most, what in (
        ("--workers", processors, 1, 256, "processes that take requests"),
        ("--children", 256, 1, 1_000, "scripts of one worker that run at once"),
        ("--queue", 256, 0, 100_000, "requests of one worker that may wait for that; more get 503"),
        ("--timeout", 60, 1, 86_400, "seconds until the headers, and then of silence"),
        ("--total", 3_600, 1, 864_000, "seconds until a script is ended in any case"),
        ("--body", 1_024, 1, 1 << 20, "MiB of a request's body; a larger one gets 413"),
        ("--spool", 1_024, 0, 1 << 20, "MiB of an answer that wait on disk for a slow client"),
        ("--memory", 1_024, 64, 1 << 20, "MiB of address space for a Python script's process"),
        ("--processes", 1_024, 16, 1 << 20, "of the user, beyond which scripts cannot fork"),
    ):
        parser.add_argument(
            option,
            type=number(least, most),
            default=default,
            metavar="N",
            help=f"{what} ({default})",
        )


def _serve(protocol: str, arguments: argparse.Namespace) -> int:
    root = os.path.realpath(arguments.root)
    if protocol == "scgi" and arguments.stderr == "server":
        return _fail(protocol, "SCGI has no way to the web server's log: leave --stderr server out")
    why_not = cannot_enter if os.path.isdir(arguments.root) else cannot_run
    if wrong := why_not(arguments.root):
        return _fail(protocol, wrong)
    try:
        listener = _listener(arguments)
    except ListenError as error:
        return _fail(protocol, str(error))
    if listener is None:
        return _fail(protocol, "no --socket, and nobody handed one over (systemd, spawn-fcgi, …)")
    environment = inherited(
        os.environ, ["CGIKIT_DEBUG", *arguments.env], path_first=os.path.dirname(sys.executable)
    )
    if arguments.compat:
        environment = oldnames.on_path(environment)
    for line in unset(arguments.env):
        _fail(protocol, line)
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
        # Ctrl-C, or a second request to end, means now
        if number == signal.SIGINT or len(asked) > 1:
            supervisor.stop()
        else:
            supervisor.drain()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGHUP, lambda number, frame: supervisor.reload())


def _fail(protocol: str, message: str) -> int:
    print(f"cgikit {protocol}: {message}", file=sys.stderr)
    return 1


def _mode(text: str) -> int:
    try:
        mode = int(text, 8)
    except ValueError:
        mode = -1
    if not 0 <= mode <= 0o777:
        raise argparse.ArgumentTypeError(f"{text!r} is not a file mode such as 0660")
    return mode


def environment_name(text: str) -> str:
    """Return the name of a variable that `--env` names; for argparse."""
    if text.isascii() and text.isidentifier():
        return text
    name, equals, value = text.partition("=")
    told = f"{text!r} is not the name of a variable: --env passes a variable of this environment on"
    if equals and name.isascii() and name.isidentifier():
        told += f"; set it before: {name}={shlex.quote(value)} cgikit …, and give --env {name}"
    raise argparse.ArgumentTypeError(told)


def cannot_run(path: str) -> str:
    """Return why a file cannot be the one script that is served, with what to do; "" if it can."""
    try:
        os.stat(path)
    except FileNotFoundError:
        return f"{path} does not exist"
    except OSError as error:
        return f"{path} cannot be reached: {error.strerror}"
    if not os.path.isfile(path):
        return f"{path} is neither a directory nor a script"
    if os.access(path, os.X_OK):
        return ""
    return f"{path} is not executable: chmod +x {shlex.quote(path)}"


def cannot_enter(directory: str, *, listed: bool = False) -> str:
    """Return why this user cannot serve the scripts of a directory, with what to do; "" if it can.

    `listed`: its names are wanted, too, and not only the scripts that are asked for.
    """
    need = os.X_OK | os.R_OK * listed
    if not os.path.isdir(directory) or os.access(directory, need):
        return ""
    verb = "read" if listed else "entered"
    return f"{directory} cannot be {verb} by this user: chmod a+rx {shlex.quote(directory)}"


def unset(names: Iterable[str]) -> list[str]:
    """Return a line for each variable that `--env` names and that is not set."""
    return [f"{name} is not set in this environment" for name in names if name not in os.environ]


def passing(text: str) -> str:
    """Return what `--pass` names; for argparse."""
    try:
        return allowlist.pattern(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _prefix(text: str) -> str:
    path = text.rstrip("/")
    if path and not path.startswith("/"):
        raise argparse.ArgumentTypeError(f"{text!r} does not begin with a slash")
    return path


def number(least: int, most: int) -> "type[int]":
    """Return what checks a number of an option; for argparse."""

    def checked(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number from {least} to {most}")
        return int(text)

    return checked  # type: ignore[return-value]
