"""`cgikit serve ROOT`: runs the scripts of a directory at a local address, for development.

This module has the command: its options, its console, its start and its end. What a server does to run
scripts is in `cgikit.host`; HTTP is in `httpserver.py`, which uses waitress.
"""

import argparse
import os
import re
import resource
import shutil
import signal
import sys
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from types import FrameType

from cgikit import __version__
from cgikit.host.environ import inherited
from cgikit.host.executor import Executor, TimeLimits
from cgikit.host.othersites import ANY
from cgikit.host.rules import Rules
from cgikit.host.spawn import Spawn
from cgikit.host.wsgi import Host
from cgikit.inspector.application import SOURCES, Inspector
from cgikit.inspector.recorder import Recorder
from cgikit.warm.remote import Warm

from . import browser, oldnames
from .advising import Advising
from .commandline import complain
from .console import Console
from .listening import announced, bare, here, listen, why
from .options import (
    add_environment,
    add_root,
    cannot_enter,
    cannot_run,
    environment_name,
    port,
    unset,
)

_DEFAULT_PORT = 8000
_HOST = re.compile(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*")
_ORIGIN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#@\s]+")
_NOT_INSPECTED = (
    "The inspector is off, because other machines can reach this server. Start it without --host."
)
_NOTHING = (
    "there is no directory cgi-bin here, and neither / nor a home directory is served unless you name "
    "it; give the directory of the scripts: cgikit serve DIR"
)
#: Variables of a request that scripts get only if asked for.
_WITHHELD = ("HTTP_AUTHORIZATION", "HTTP_PROXY_AUTHORIZATION")


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add this command's parser to the sub-parsers of the command line."""
    parser = commands.add_parser(
        "serve",
        help="run scripts at a local address, for development",
        description="Run the scripts of a directory, or one script, at a local address, for "
        "development.",
        epilog="Example: cgikit serve cgi-bin --port 8080\nDocumentation: page reference/serve",
    )
    parser.set_defaults(command=serve)
    add_root(parser, without="default: cgi-bin if there is one, else the current directory")
    _add_address(parser)
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=60.0,
        metavar="SECONDS",
        help="seconds until the headers, and of silence after them (default: %(default)g)",
    )
    add_environment(parser, _environment_name)
    parser.add_argument(
        "--warm",
        action="store_true",
        help="run Python scripts warm: forked from an interpreter that has already imported the "
        "modules they use",
    )
    oldnames.add_to(parser)
    _add_rules(parser)


def _add_address(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: %(default)s)"
    )
    parser.add_argument(
        "--port",  # first, as the usage shows it
        "-p",
        type=port(0),
        help=f"port to listen on, 0 for any free one (default: $PORT, else {_DEFAULT_PORT})",
    )
    parser.add_argument("--open", action="store_true", help="show the first page in a browser")
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        type=_host_name,
        metavar="NAME",
        help="also answer to this host name (may be repeated)",
    )
    parser.add_argument(
        "--allow-origin",
        action="append",
        default=[],
        type=_origin,
        metavar="ORIGIN",
        help="also answer to pages of this site, such as https://shop.example (may be repeated)",
    )


def _add_rules(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--static",
        action="store_true",
        help="also send the style sheets, images, … beside the scripts",
    )
    parser.add_argument(
        "--index",
        type=_index,
        default="",
        metavar="NAME",
        help="the script that answers for its directory, such as index.cgi",
    )
    parser.add_argument(
        "--run",
        action="append",
        default=[],
        type=_interpreter,
        metavar=".EXT=COMMAND",
        help="run files with this extension with a command, as .php=php-cgi (may be repeated)",
    )
    parser.add_argument(
        "--follow",
        action="append",
        default=[],
        metavar="LINK",
        help="allow this symbolic link in ROOT to lead out of it (may be repeated)",
    )
    parser.add_argument(
        "--pass",
        action="append",
        default=[],
        choices=_WITHHELD,
        dest="passing",
        metavar="NAME",
        help=f"also pass this variable of the request ({' or '.join(_WITHHELD)}; may be repeated)",
    )


def serve(arguments: argparse.Namespace) -> int:
    """Serve until interrupted by Ctrl-C or SIGTERM. Return the exit status (int)."""
    try:
        from .httpserver import DESCRIPTORS, capacity, create  # here, because waitress is an extra
    except ImportError as error:
        if error.name != "waitress":
            raise
        return _fail("waitress is not installed: pip install 'waitress>=3.0.1,<3.1'")
    if wrong := _without_root(arguments) or _wrong(arguments):
        return _fail(wrong)
    number = _port_of_environment() if arguments.port is None else arguments.port
    try:
        listener = listen(bare(arguments.host), number)
    except (OSError, UnicodeError) as error:  # UnicodeError: not a valid host name
        return _fail(f"cannot listen on {arguments.host} port {number}: {why(error, number)}")
    address = listener.getsockname()[0]
    console = Console(unset(arguments.env))
    loopback = ip_address(address).is_loopback
    environment = _environment(arguments, loopback)
    limits = TimeLimits(header=arguments.timeout, idle=arguments.timeout)
    try:
        executor = _executor(arguments, environment, limits, console.print)
    except OSError as error:
        return _fail(f"cannot start the warm interpreter: {error.strerror}")
    recorder = Recorder()
    hosts = _hosts(arguments, address) if loopback else None
    watched = recorder.watching(Advising(executor, console.print))
    host = _host(arguments, watched, environment, limits, hosts, console.print)
    room = capacity(_allow_descriptors(DESCRIPTORS))
    front = Inspector(host, recorder, off="" if loopback else _NOT_INSPECTED)
    server = create(
        host, listener, software=host.software, log=console.print, room=room, front=front
    )
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    what = f"{arguments.root}{' warm' * arguments.warm}"
    for line in announced(what, *listener.getsockname()[:2]):
        console.print(line)
    if arguments.open:
        browser.show(here(*listener.getsockname()[:2]), console.print)
    try:
        server.run()
    except KeyboardInterrupt:
        pass
    finally:
        executor.close()
        server.finish()
    return 0


def _host(
    arguments: argparse.Namespace,
    executor: Executor,
    environment: Mapping[str, str],
    limits: TimeLimits,
    hosts: frozenset[str] | None,
    log: Callable[[str], None],
) -> Host:
    """Return the host. `hosts` are the names of a server that only this machine can reach, or None."""
    return Host(
        arguments.root,
        executor,
        environment=environment,
        log=log,
        limits=limits,
        hosts=hosts,
        origins=None if hosts is None else frozenset(arguments.allow_origin),
        details=hosts is not None,
        software=f"cgikit/{__version__}",
        rules=_rules(arguments),
        passing=arguments.passing,
        sources=SOURCES if hosts is not None else "",
    )


def _port_of_environment() -> int:
    """Return the port in $PORT, or the default. `ArgumentTypeError` if it is not a port."""
    return port(0)(os.environ.get("PORT") or str(_DEFAULT_PORT))


def _without_root(arguments: argparse.Namespace) -> str:
    """Serve `cgi-bin` if no ROOT was given, else the current directory. Return why neither (str), "" if
    one of them is served.

    Neither / nor the home directory is served without being named: each executable file below would be
    a script, which any page in a browser could have run.
    """
    if arguments.root is None:
        arguments.root = "cgi-bin" if os.path.isdir("cgi-bin") else _here()
    return "" if arguments.root else _NOTHING


def _here() -> str:
    """Return the current directory (str), "" if it is not to be served."""
    try:
        place = os.path.realpath(os.getcwd())
    except FileNotFoundError:  # it was removed
        return ""
    return "" if place in ("/", os.path.realpath(os.path.expanduser("~"))) else place


def _wrong(arguments: argparse.Namespace) -> str:
    """Return why the options cannot be used as given (str), "" if they can."""
    root = arguments.root
    if arguments.port is None:
        try:
            _port_of_environment()
        except argparse.ArgumentTypeError as error:
            return f"the environment variable PORT: {error}; unset it, or give --port"
    if wrong := cannot_enter(root, listed=True):
        return wrong
    if not os.path.isdir(root):
        if arguments.index or arguments.static or arguments.follow:
            what = "is a single script" if os.path.exists(root) else "does not exist"
            return f"{root} {what}; --index, --static and --follow need a directory"
        if not _rules(arguments).interpreter(root) or not os.path.isfile(root):
            return cannot_run(root)
    for link in arguments.follow:
        path = os.path.join(root, link.strip("/"))
        if not os.path.exists(path):
            return f"--follow {link}: {root} has no such link, or its target does not exist"
        if not os.path.islink(path):
            return f"--follow {link}: {path} is not a symbolic link and needs no --follow"
    return ""


def _rules(arguments: argparse.Namespace) -> Rules:
    return Rules(
        follow=arguments.follow,
        interpreters=dict(arguments.run),
        index=arguments.index,
        static=arguments.static,
    )


def _environment(arguments: argparse.Namespace, loopback: bool) -> dict[str, str]:
    names = ["CGIKIT_DEBUG", *arguments.env]
    environment = inherited(os.environ, names, path_first=os.path.dirname(sys.executable))
    if loopback:
        # The page of a script that failed shows the traceback, as the server's own pages show causes
        environment.setdefault("CGIKIT_DEBUG", "1")
    return oldnames.on_path(environment) if arguments.compat else environment


def _executor(
    arguments: argparse.Namespace,
    environment: Mapping[str, str],
    limits: TimeLimits,
    log: Callable[[str], None],
) -> Spawn | Warm:
    if arguments.warm:
        return Warm(
            arguments.root,
            environment=environment,
            log=log,
            limits=limits,
            passing=arguments.passing,
            preload=oldnames.PRELOADED if arguments.compat else (),
        )
    return Spawn(interrupts=True)


def _allow_descriptors(wanted: int) -> int:
    """Raise this process's limit on descriptors to `wanted`, as far as allowed; return the new limit.

    The usual limit of 1,024 is for programs that call select(), which cannot handle more.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    except (ValueError, OSError):  # macOS refuses more than its kernel allows one process
        return soft
    return allowed


def _stop(number: int, frame: FrameType | None) -> None:
    # A second Ctrl-C during the scripts' grace period must not leave them running
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


def _hosts(arguments: argparse.Namespace, address: str) -> frozenset[str]:
    names = {"localhost", "127.0.0.1", "::1", address, arguments.host, *arguments.allow_host}
    return frozenset(bare(name.lower()) for name in names)


def _fail(message: str) -> int:
    complain("serve", message)
    return 1


def _environment_name(text: str) -> str:
    if text.startswith("HTTP_"):
        raise argparse.ArgumentTypeError(
            f"{text!r} is a variable of the request, not of this environment: use --pass {text}"
        )
    return environment_name(text)


def _host_name(text: str) -> str:
    if not _HOST.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a host name such as my.example: give it without http://, port or path"
        )
    return text


def _origin(text: str) -> str:
    if text not in (ANY, "null") and not _ORIGIN.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not an origin such as https://shop.example:8443: give scheme and host "
            "without path, null for pages from files, or * for every site"
        )
    return text.lower()


def _index(text: str) -> str:
    if "/" in text or text.startswith("."):
        raise argparse.ArgumentTypeError(f"{text!r} is not a file name such as index.cgi")
    return text


def _interpreter(text: str) -> tuple[str, str]:
    extension, equals, command = text.partition("=")
    if not equals or not extension.startswith(".") or len(extension) < 2 or "/" in extension:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not of the form .EXT=COMMAND, such as .php=php-cgi"
        )
    program = shutil.which(command)
    if program is None:
        raise argparse.ArgumentTypeError(f"{command!r} is not a program on the PATH")
    return extension.lower(), os.path.abspath(program)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0 < seconds <= 86_400:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a number of seconds, more than 0 and at most 86400"
        )
    return seconds
