"""`cgikit config SERVER ROOT`: the configuration with which a web server serves a directory of scripts.

Here is the command: its options, their defaults, what is refused. Each server's text is in a module
of its own, as a `Recipe`; `quoting` writes paths in each syntax. The tests of the servers run what is
printed here.
"""

import argparse
import dataclasses
import errno
import os
import re
import shlex
import sys
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

import cgikit
from cgikit.host.logtext import one_line

from ..commandline import suggestion
from ..gatewaycommand import cannot_enter, cannot_run, number, passing
from . import apache, caddy, lighttpd, nginx, small, systemd, wsgiservers
from .account import WEB_USERS, barrier, exists, group_of, web_user
from .quoting import Unsayable
from .recipe import Recipe, write
from .site import SOCKET_BYTES, Site, unit_name

#: By name, in the order of `--list`: the recommended first.
RECIPES: Mapping[str, Recipe] = {
    "nginx": nginx.FASTCGI,
    "nginx-scgi": nginx.SCGI,
    "nginx-fcgiwrap": nginx.FCGIWRAP,
    "apache-fastcgi": apache.FASTCGI,
    "apache-scgi": apache.SCGI,
    "apache-cgid": apache.CGID,
    "apache-cgi": apache.CGI_,
    "lighttpd-fastcgi": lighttpd.FASTCGI,
    "lighttpd-scgi": lighttpd.SCGI,
    "lighttpd-cgi": lighttpd.CGI_,
    "caddy": caddy.CADDY,
    "busybox": small.BUSYBOX_HTTPD,
    "mini-httpd": small.MINI_HTTPD_,
    "python": small.PYTHON_HTTP,
    "gunicorn": wsgiservers.GUNICORN,
    "waitress": wsgiservers.WAITRESS,
    "uwsgi": wsgiservers.UWSGI,
    "apache-wsgi": wsgiservers.APACHE_WSGI,
    "cgikit": small.SERVE,
    "systemd": systemd.SYSTEMD,
    "systemd-gunicorn": systemd.SYSTEMD_GUNICORN,
}

#: Debian's, Fedora's, Arch's.
HTTPD_MODULES = (
    "/usr/lib/apache2/modules",
    "/usr/lib64/httpd/modules",
    "/usr/lib/httpd/modules",
)

_PREFIX = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,31}")


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add this command's parser to the sub-parsers of the command line."""
    parser = commands.add_parser(
        "config",
        help="print the configuration of a web server",
        description="Print a configuration with which a web server runs the scripts below ROOT;"
        " its first lines hold the commands that start it.",
        epilog="Example: cgikit config nginx /srv/site/cgi-bin",
    )
    parser.set_defaults(command=config)
    parser.add_argument("server", metavar="SERVER", nargs="?", help="the server; see --list")
    parser.add_argument(
        "root", metavar="ROOT", nargs="?", help="the directory of the scripts, or one script"
    )
    parser.add_argument("--list", action="store_true", help="list the servers, and end")
    parser.add_argument(
        "--snippet",
        action="store_true",
        help="only the part to paste into a site that is there already",
    )
    parser.add_argument(
        "--listen", metavar="ADDRESS", type=_address, help="address to listen on (127.0.0.1)"
    )
    parser.add_argument("--port", type=_port, help="port to listen on (8080)")
    parser.add_argument(
        "--prefix", type=_prefix, help="where in the URL the scripts are; / for all (/cgi-bin)"
    )
    parser.add_argument(
        "--state",
        metavar="DIR",
        help="for configuration, logs, sockets (/var/lib/cgikit; not root: ./cgikit-state)",
    )
    parser.add_argument(
        "--socket", metavar="PATH", help="of the scripts' side (DIR/run/cgikit.sock)"
    )
    parser.add_argument(
        "--user",
        type=_user,
        help=f"whom server and scripts run as ({WEB_USERS[0]}; not root: who starts them)",
    )
    parser.add_argument(
        "--persistent",
        action="store_true",
        help="ROOT is a script that answers over FastCGI by itself (docs/persistent.md)",
    )
    parser.add_argument(
        "--users",
        metavar="FILE",
        help="ask for a password; FILE is what htpasswd makes (docs/config.md)",
    )
    _add_passed_on(parser)


#: Options of `cgikit fastcgi` and `cgikit scgi` that are handed through, as the parser names them.
_PASSED_ON = ("env", "passing", "memory", "timeout", "body", "stderr")


def _add_passed_on(parser: argparse.ArgumentParser) -> None:
    """Add the options of the scripts' side; some concern the web server as well."""
    group = parser.add_argument_group("for cgikit fastcgi and cgikit scgi, as there")
    group.add_argument(
        "--env",
        action="append",
        type=_variable,
        metavar="NAME",
        help="variable that scripts get, too",
    )
    group.add_argument(
        "--pass",
        action="append",
        type=passing,
        dest="passing",
        metavar="NAME",
        help="variable of the web server's that scripts get, too",
    )
    group.add_argument(
        "--memory", type=number(64, 1 << 20), metavar="N", help="of one script, in MiB (1024)"
    )
    group.add_argument(
        "--timeout",
        type=number(1, 86_400),
        metavar="N",
        help="until a script says something, in s (60)",
    )
    group.add_argument(
        "--stderr",
        choices=("log", "server"),
        help="where what scripts write there goes: our log, or the web server's (log)",
    )
    group.add_argument(
        "--body", type=number(1, 1 << 20), metavar="N", help="of a request, in MiB (1024)"
    )


def _passed_on(arguments: argparse.Namespace) -> list[str]:
    """Return the words for the options that were given."""
    words: list[str] = []
    for name in _PASSED_ON:
        given = getattr(arguments, name)
        for value in given if isinstance(given, list) else [given] if given is not None else []:
            words += [_option(name), str(value)]
    return words


def _option(name: str) -> str:
    return "--pass" if name == "passing" else f"--{name}"


def config(arguments: argparse.Namespace) -> int:
    """Print a configuration. Return the exit status (int)."""
    if arguments.list:
        for name, recipe in RECIPES.items():
            print(f"{name:18}{recipe.about}")
        return 0
    if arguments.server is None or arguments.root is None:
        return _fail("say which SERVER and which ROOT, or --list", 2)
    chosen = RECIPES.get(arguments.server)
    if chosen is None:
        meant = suggestion(arguments.server, RECIPES)
        known = f"there are: {', '.join(RECIPES)}"
        return _fail(f"there is no server {arguments.server!r}{meant or f'; {known}'}", 2)
    if refused := _unsuited(arguments, chosen):
        return _fail(refused)
    try:
        site = _site(arguments, chosen)
        text = write(chosen, site, _repeated(arguments, site), snippet=arguments.snippet)
    except Unsayable as error:
        return _fail(f"{arguments.server}: {error}")
    try:
        print(text, end="")
    except UnicodeEncodeError as error:
        return _fail(f"standard output cannot say {error.object[error.start : error.end]!r} here")
    _warn(site, arguments.root)
    return 0


def _unsuited(arguments: argparse.Namespace, recipe: Recipe) -> str | None:
    """Return why this server cannot serve that root with those options, or None."""
    server, words = arguments.server, _passed_on(arguments)
    if (wrong := cannot_run(arguments.root)).endswith(os.strerror(errno.EACCES)):
        return wrong
    single = os.path.isfile(arguments.root) and os.access(arguments.root, os.X_OK)
    if not os.path.isdir(arguments.root) and not (single and recipe.single):
        what = "is not a directory"
        if single:
            what += f", and {server} serves no single script"
        elif os.path.isfile(arguments.root):
            what += " and not executable"
        return f"{one_line(arguments.root)} {what}"
    if arguments.stderr == "server" and recipe.gateway == "scgi":
        return f"{server}: SCGI has no way to the web server's log: leave --stderr server out"
    if arguments.persistent and (refused := _not_persistent(arguments, recipe)):
        return refused
    if words and not recipe.gateway and recipe is not systemd.SYSTEMD:
        return (
            f"{server}: {words[0]} is for cgikit fastcgi and cgikit scgi, and this server runs no"
            " scripts through them"
        )
    if arguments.users is not None and not recipe.asks:
        return f"{server} is not told of --users; these are: {_those('asks')}"
    if arguments.user is not None and not exists(arguments.user):
        return (
            f"there is no user {arguments.user!r} on this machine: print the configuration where it"
            f" is used, or make the user first (useradd --system {arguments.user})"
        )
    return None


def _not_persistent(arguments: argparse.Namespace, recipe: Recipe) -> str | None:
    if not recipe.persistent:
        return f"{arguments.server} serves no persistent script; these do: {_those('persistent')}"
    if os.path.isdir(arguments.root):
        return f"--persistent is for one script, and {one_line(arguments.root)} is a directory"
    for name in ("passing", "memory"):
        if getattr(arguments, name) is not None:
            return f"{_option(name)} is for cgikit fastcgi, which runs no persistent script"
    return None


def _those(what: str) -> str:
    return ", ".join(name for name, recipe in RECIPES.items() if getattr(recipe, what))


def _warn(site: Site, root: str) -> None:
    """Say what is missing, and what the site's user cannot run: the scripts, or the interpreter with
    what it is made of.
    """
    if site.user and not exists(site.user):
        _fail(f"there is no user {site.user!r} on this machine: say with --user who serves")
    if site.users and not os.path.exists(site.users):
        _fail(f"there is no file {one_line(site.users)}, which --users names: make it before the"
              " server starts (docs/config.md)")  # fmt: skip
    if not site.user and (wrong := cannot_enter(root)):
        _fail(wrong)
    told = set()
    library, package = os.path.dirname(os.__file__), os.path.dirname(cgikit.__file__)
    way, python = os.path.dirname(site.python), os.path.realpath(site.python)
    for path in (site.root, way, python, library, package):
        closed = barrier(path, site.user) if site.user else None
        if closed and closed not in told:
            told.add(closed)
            right = "cannot run" if closed == os.path.realpath(path) else "cannot enter"
            remedy = _MOVE_SCRIPTS if path == site.root else _MOVE_PYTHON
            _fail(f"{site.user} {right} {closed}, and so cannot run {path}:"
                  f" {remedy.format(outside=closed)}, give the right with chmod o+rx"
                  f" {shlex.quote(closed)}, or say with --user who else serves")  # fmt: skip


_MOVE_SCRIPTS = "move the scripts out of {outside}"
_MOVE_PYTHON = "make a virtual environment from a Python outside {outside}, install cgikit there"


def _site(arguments: argparse.Namespace, recipe: Recipe) -> Site:
    as_root = os.geteuid() == 0 or arguments.snippet or recipe.by_root
    state = arguments.state or ("/var/lib/cgikit" if as_root else "cgikit-state")
    root = os.path.abspath(arguments.root)
    name = f"{unit_name(root)}.sock" if arguments.persistent else "cgikit.sock"
    socket = os.path.abspath(arguments.socket or os.path.join(state, "run", name))
    if recipe.has_socket and len(os.fsencode(socket)) > SOCKET_BYTES:
        raise Unsayable(f"a socket's path has {SOCKET_BYTES} bytes at most: {socket!r}")
    user = arguments.user or (web_user() if as_root else None)
    site = Site(
        root=root,
        server=arguments.server,
        state=os.path.abspath(state),
        socket=socket,
        user=user,
        group=group_of(user) if user else None,
        cgikit=_this_command(),
        python=sys.executable,
        modules=next(filter(os.path.isdir, HTTPD_MODULES), HTTPD_MODULES[0]),
        single=not os.path.isdir(root),
        script=_a_script(root) if os.path.isdir(root) else "",
        options=tuple(_passed_on(arguments)),
        persistent=arguments.persistent,
        stderr=arguments.stderr or "",
        users=os.path.abspath(arguments.users) if arguments.users else None,
    )
    given: dict[str, Any] = {
        name: value
        for name in ("listen", "port", "prefix", "timeout", "body")
        if (value := getattr(arguments, name)) is not None
    }
    if recipe.prefixless:
        given["prefix"] = ""
    return dataclasses.replace(site, **given)


def _this_command() -> tuple[str, ...]:
    """Return the words that start this very cgikit, whatever is on whose PATH."""
    program = os.path.join(os.path.dirname(sys.executable), "cgikit")
    if not os.access(program, os.X_OK):
        return (sys.executable, "-m", "cgikit")
    return (program,)  # never its bare name: the terminal that it is pasted into has another PATH


def _a_script(directory: str) -> str:
    """Return the name of a script to try first (str), or "" where none can be run or seen."""
    try:
        names = sorted(name for name in os.listdir(directory) if not name.startswith("."))
    except PermissionError:  # `_warn` tells
        return ""
    paths = (os.path.join(directory, name) for name in names)
    names = [os.path.basename(p) for p in paths if os.path.isfile(p) and os.access(p, os.X_OK)]
    return next((n for n in names if n.startswith("hello")), names[0] if names else "")


def _repeated(arguments: argparse.Namespace, site: Site) -> list[str]:
    """Return the words of the command line that was given; they say the same in any directory."""
    words = [*site.cgikit, "config", arguments.server, site.root]
    paths = {"state": site.state, "socket": site.socket, "users": site.users}
    for name in ("listen", "port", "prefix", "state", "socket", "user", "users"):
        value = getattr(arguments, name)
        if value is not None:
            words += [f"--{name}", str(paths.get(name, value or "/"))]
    words += ["--persistent"] if arguments.persistent else []
    return words + _passed_on(arguments)


def _fail(message: str, status: int = 1) -> int:
    print(f"cgikit config: {message}", file=sys.stderr)
    return status


def _address(text: str) -> str:
    try:
        if "%" in text:  # a zone, which few configurations can name
            raise ValueError
        return str(ip_address(text.removeprefix("[").removesuffix("]")))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not an IP address") from None


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65_536:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 1 to 65535")
    return int(text)


def _prefix(text: str) -> str:
    text = text.rstrip("/")
    if not _PREFIX.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a path such as /cgi-bin, of letters, digits and -._~"
        )
    return text


def _variable(text: str) -> str:
    if not (text.isascii() and text.isidentifier()):
        raise argparse.ArgumentTypeError(f"{text!r} is not the name of a variable")
    return text


def _user(text: str) -> str:
    if not _USER.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not the name of a user")
    return text
