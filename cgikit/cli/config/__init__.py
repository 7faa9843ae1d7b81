"""`cgikit config SERVER ROOT`: the configuration with which a web server serves a directory of scripts.

Here is the command: its options, their defaults, what is refused. Each server's text is in a module
of its own, as a `Recipe`; `quoting` writes paths in each syntax. The tests of the servers run what is
printed here.
"""

import argparse
import dataclasses
import os
import re
import shutil
import sys
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

import cgikit
from cgikit.host.text import one_line

from ..gateway import number, passing
from . import apache, caddy, lighttpd, nginx, small, systemd, wsgi
from .account import WEB_USERS, barrier, group_of, web_user
from .quoting import Unsayable
from .recipe import Recipe, write
from .site import SOCKET_BYTES, Site

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
    "gunicorn": wsgi.GUNICORN,
    "waitress": wsgi.WAITRESS,
    "uwsgi": wsgi.UWSGI,
    "apache-wsgi": wsgi.APACHE_WSGI,
    "cgikit": small.SERVE,
    "systemd": systemd.SYSTEMD,
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
    _add_passed_on(parser)


#: Options of `cgikit fastcgi` and `cgikit scgi` that are handed through, as the parser names them.
_PASSED_ON = ("env", "passing", "memory", "timeout", "body")


def _add_passed_on(parser: argparse.ArgumentParser) -> None:
    """Add the options of the scripts' side; some concern the web server as well."""
    group = parser.add_argument_group("for cgikit fastcgi and cgikit scgi, as there")
    group.add_argument("--env", action="append", type=_variable, metavar="NAME")
    group.add_argument("--pass", action="append", type=passing, dest="passing", metavar="NAME")
    group.add_argument("--memory", type=number(64, 1 << 20), metavar="N")
    group.add_argument("--timeout", type=number(1, 86_400), metavar="N")
    group.add_argument("--body", type=number(1, 1 << 20), metavar="N")


def _passed_on(arguments: argparse.Namespace) -> list[str]:
    """Return the words for the options that were given."""
    words: list[str] = []
    for name in _PASSED_ON:
        given = getattr(arguments, name)
        option = "--pass" if name == "passing" else f"--{name}"
        for value in given if isinstance(given, list) else [given] if given is not None else []:
            words += [option, str(value)]
    return words


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
        return _fail(f"no server {arguments.server!r}; there are: {', '.join(RECIPES)}")
    single = os.path.isfile(arguments.root) and os.access(arguments.root, os.X_OK)
    if not os.path.isdir(arguments.root) and not (single and chosen.single):
        what = "is not a directory"
        if single:
            what += f", and {arguments.server} serves no single script"
        elif os.path.isfile(arguments.root):
            what += " and not executable"
        return _fail(f"{one_line(arguments.root)} {what}")
    try:
        site = _site(arguments, chosen)
        text = write(chosen, site, _repeated(arguments, site), snippet=arguments.snippet)
    except Unsayable as error:
        return _fail(f"{arguments.server}: {error}")
    try:
        print(text, end="")
    except UnicodeEncodeError as error:
        return _fail(f"standard output cannot say {error.object[error.start : error.end]!r} here")
    _warn(site)
    return 0


def _warn(site: Site) -> None:
    """Say what the site's user cannot run: the scripts, or the interpreter with what it is made of."""
    told = set()
    library, package = os.path.dirname(os.__file__), os.path.dirname(cgikit.__file__)
    way, python = os.path.dirname(site.python), os.path.realpath(site.python)
    for path in (site.root, way, python, library, package):
        closed = barrier(path, site.user) if site.user else None
        if closed and closed not in told:
            told.add(closed)
            right = "cannot run" if closed == os.path.realpath(path) else "cannot enter"
            _fail(f"{site.user} {right} {closed}, and so cannot run {path}: move it, or give the"
                  " right with chmod o+rx")  # fmt: skip


def _site(arguments: argparse.Namespace, recipe: Recipe) -> Site:
    as_root = os.geteuid() == 0 or arguments.snippet or recipe is systemd.SYSTEMD
    state = arguments.state or ("/var/lib/cgikit" if as_root else "cgikit-state")
    socket = os.path.abspath(arguments.socket or os.path.join(state, "run", "cgikit.sock"))
    if recipe.has_socket and len(os.fsencode(socket)) > SOCKET_BYTES:
        raise Unsayable(f"a socket's path has {SOCKET_BYTES} bytes at most: {socket!r}")
    if _passed_on(arguments) and not recipe.gateway and recipe is not systemd.SYSTEMD:
        raise Unsayable(
            f"{_passed_on(arguments)[0]} is for cgikit fastcgi and cgikit scgi, and this server runs no"
            " scripts through them"
        )
    user = arguments.user or (web_user() if as_root else None)
    root = os.path.abspath(arguments.root)
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
    found = shutil.which("cgikit")
    return ("cgikit",) if found and os.path.samefile(found, program) else (program,)


def _a_script(directory: str) -> str:
    """Return the name of a script to try first."""
    paths = (os.path.join(directory, name) for name in sorted(os.listdir(directory)))
    names = [os.path.basename(p) for p in paths if os.path.isfile(p) and os.access(p, os.X_OK)]
    return next((n for n in names if n.startswith("hello")), names[0] if names else "SCRIPT")


def _repeated(arguments: argparse.Namespace, site: Site) -> list[str]:
    """Return the words of the command line that was given; they say the same in any directory."""
    words = [*site.cgikit, "config", arguments.server, site.root]
    paths = {"state": site.state, "socket": site.socket}
    for name in ("listen", "port", "prefix", "state", "socket", "user"):
        value = getattr(arguments, name)
        if value is not None:
            words += [f"--{name}", str(paths.get(name, value or "/"))]
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
