"""`cgikit config SERVER ROOT`: the configuration with which a web server serves a directory of scripts.

This module has the command: its options, their defaults, and what is refused. Each server's text is in
a module of its own, as a `Recipe`; `quoting` writes paths in each syntax. The tests of the servers run
the printed configurations.
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

from .. import oldnames
from ..commandline import complain, suggestion
from ..options import cannot_enter, cannot_run, number, passing, port
from . import apache, caddy, lighttpd, nginx, small, systemd, wsgiservers
from .account import WEB_USERS, first_closed_directory, group_of, user_exists, web_user
from .quoting import Unsayable
from .recipe import Recipe, write
from .site import SOCKET_BYTES, Site, unit_name

#: By name, in the order of `--list`: recommended ones first.
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
        help="print a configuration for a web server",
        description="Print a configuration with which a web server runs the scripts in ROOT. Its first"
        " lines show the commands that start the server.",
        epilog="Example: cgikit config nginx /srv/site/cgi-bin\nDocumentation: page deploy/config",
    )
    parser.set_defaults(command=config, is_exact=True)  # a web server reads what is printed
    parser.add_argument("server", metavar="SERVER", nargs="?", help="the server; see --list")
    parser.add_argument(
        "root", metavar="ROOT", nargs="?", help="the directory of the scripts, or one script"
    )
    parser.add_argument("--list", action="store_true", help="list the servers")
    parser.add_argument(
        "--snippet",
        action="store_true",
        help="print only the part to paste into an existing site",
    )
    _add_places(parser)
    parser.add_argument(
        "--persistent",
        action="store_true",
        help="ROOT is a script that speaks FastCGI itself (page reference/persistent)",
    )
    parser.add_argument(
        "--users",
        metavar="FILE",
        help="ask for a password; FILE is made by htpasswd (page deploy/config)",
    )
    _add_passed_on(parser)


def _add_places(parser: argparse.ArgumentParser) -> None:
    """Add the options for addresses, paths and the user."""
    parser.add_argument(
        "--listen",
        metavar="ADDRESS",
        type=_address,
        help="address to listen on (default: 127.0.0.1)",
    )
    parser.add_argument("--port", type=port(1), help="port to listen on (default: 8080)")
    parser.add_argument(
        "--prefix",
        type=_prefix,
        help="URL path of the scripts; / for the whole site (default: /cgi-bin)",
    )
    parser.add_argument(
        "--state",
        metavar="DIR",
        help="directory for configuration, logs, socket "
        "(default: /var/lib/cgikit; not root: ./cgikit-state)",
    )
    parser.add_argument(
        "--socket",
        metavar="PATH",
        help="socket between server and scripts (default: DIR/run/cgikit.sock)",
    )
    parser.add_argument(
        "--user",
        type=_user,
        help="user that runs server and scripts "
        f"(default: {WEB_USERS[0]}; not root: whoever starts them)",
    )


#: Options that are passed on to `cgikit fastcgi` and `cgikit scgi`, as the parser names them.
_PASSED_ON = ("env", "passing", "memory", "timeout", "body", "stderr", "compat")


def _add_passed_on(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command that runs the scripts; some concern the web server too."""
    group = parser.add_argument_group("passed on to cgikit fastcgi and cgikit scgi")
    group.add_argument(
        "--env",
        action="append",
        type=_variable,
        metavar="NAME",
        help="also pass this variable of the environment to the scripts",
    )
    group.add_argument(
        "--pass",
        action="append",
        type=passing,
        dest="passing",
        metavar="NAME",
        help="also pass this variable of the web server to the scripts",
    )
    group.add_argument(
        "--memory",
        type=number(64, 1 << 20),
        metavar="N",
        help="MiB of memory for one script (default: 1024)",
    )
    group.add_argument(
        "--timeout",
        type=number(1, 86_400),
        metavar="N",
        help="seconds until the headers, and of silence after them (default: 60)",
    )
    group.add_argument(
        "--stderr",
        choices=("log", "server"),
        help="where the scripts' standard error goes: cgikit's log, or the web server's (default: log)",
    )
    group.add_argument(
        "--body",
        type=number(1, 1 << 20),
        metavar="N",
        help="MiB of a request's body (default: 1024)",
    )
    oldnames.add_to(group, default=None)


def _passed_on(arguments: argparse.Namespace) -> list[str]:
    """Return the options that were given, as words of a command line."""
    words: list[str] = []
    for name in _PASSED_ON:
        given = getattr(arguments, name)
        for value in given if isinstance(given, list) else [given] if given is not None else []:
            words += [_option(name)] if value is True else [_option(name), str(value)]
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
        return _fail("SERVER and ROOT are missing: give both, or --list", 2)
    chosen = RECIPES.get(arguments.server)
    if chosen is None:
        meant = suggestion(arguments.server, RECIPES)
        known = f"; choose one of {', '.join(RECIPES)}"
        return _fail(f"{arguments.server!r} is not a known server{meant or known}", 2)
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
        wrong = error.object[error.start : error.end]
        return _fail(f"standard output cannot encode {wrong!r}: choose a UTF-8 locale")
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
            what += f", and {server} cannot serve a single script"
        elif os.path.isfile(arguments.root):
            what += " and not executable"
        return f"{one_line(arguments.root)} {what}"
    if arguments.stderr == "server" and recipe.gateway == "scgi":
        return f"{server}: SCGI cannot write to the web server's log: omit --stderr server"
    if arguments.persistent and (refused := _not_persistent(arguments, recipe)):
        return refused
    if (
        words
        and not recipe.gateway
        and recipe is not systemd.SYSTEMD
        and (
            recipe is not small.SERVE or words != ["--compat"]  # which `cgikit serve` has too
        )
    ):
        return (
            f"{server}: {words[0]} is an option of cgikit fastcgi and cgikit scgi, and this server uses"
            f" neither{_WITHOUT_COMPAT if words[0] == '--compat' else ''}"
        )
    if arguments.users is not None and not recipe.asks:
        return f"{server} does not support --users; these do: {_those('asks')}"
    if arguments.user is not None and not user_exists(arguments.user):
        return (
            f"there is no user {arguments.user!r} on this machine: run this on the machine that will"
            f" serve, or create the user first (useradd --system {arguments.user})"
        )
    return None


_WITHOUT_COMPAT = ": put cgi.py beside the scripts instead, with cgikit vendor cgi DIR"


def _not_persistent(arguments: argparse.Namespace, recipe: Recipe) -> str | None:
    if not recipe.persistent:
        return f"{arguments.server} cannot serve a persistent script; these can: {_those('persistent')}"
    if os.path.isdir(arguments.root):
        return f"--persistent is for one script, and {one_line(arguments.root)} is a directory"
    for name in ("passing", "memory", "compat"):
        if getattr(arguments, name) is not None:
            return f"{_option(name)} is an option of cgikit fastcgi, which a persistent script replaces"
    return None


def _those(what: str) -> str:
    return ", ".join(name for name, recipe in RECIPES.items() if getattr(recipe, what))


def _warn(site: Site, root: str) -> None:
    """Warn about what is missing, and what the site's user cannot run: the scripts, or the interpreter
    and its libraries.
    """
    if site.user and not user_exists(site.user):
        _fail(f"there is no user {site.user!r} on this machine: choose another one with --user")
    if site.users and not os.path.exists(site.users):
        _fail(f"there is no file {one_line(site.users)}, which --users names: create it before the"
              " server starts (page deploy/config)")  # fmt: skip
    if not site.user and (wrong := cannot_enter(root)):
        _fail(wrong)
    named = set()
    library, package = os.path.dirname(os.__file__), os.path.dirname(cgikit.__file__)
    way, python = os.path.dirname(site.python), os.path.realpath(site.python)
    for path in (site.root, way, python, library, package):
        closed = first_closed_directory(path, site.user) if site.user else None
        if closed and closed not in named:
            named.add(closed)
            right = "cannot run" if closed == os.path.realpath(path) else "cannot enter"
            remedy = _MOVE_SCRIPTS if path == site.root else _MOVE_PYTHON
            _fail(f"{site.user} {right} {closed}, and so cannot run {path}:"
                  f" {remedy.format(outside=closed)}, allow it with chmod o+rx"
                  f" {shlex.quote(closed)}, or choose another user with --user")  # fmt: skip


_MOVE_SCRIPTS = "move the scripts out of {outside}"
_MOVE_PYTHON = "make a virtual environment from a Python outside {outside} and install cgikit there"


def _site(arguments: argparse.Namespace, recipe: Recipe) -> Site:
    as_root = os.geteuid() == 0 or arguments.snippet or recipe.by_root
    state = arguments.state or ("/var/lib/cgikit" if as_root else "cgikit-state")
    root = os.path.abspath(arguments.root)
    name = f"{unit_name(root)}.sock" if arguments.persistent else "cgikit.sock"
    socket = os.path.abspath(arguments.socket or os.path.join(state, "run", name))
    if recipe.has_socket and len(os.fsencode(socket)) > SOCKET_BYTES:
        raise Unsayable(
            f"{socket!r} is too long for the path of a socket, at most {SOCKET_BYTES} bytes: give a"
            " shorter --socket or --state"
        )
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
    """Return the words of the command line that starts this cgikit, whatever the PATH."""
    program = os.path.join(os.path.dirname(sys.executable), "cgikit")
    if not os.access(program, os.X_OK):
        return (sys.executable, "-m", "cgikit")
    # The whole path: the terminal that it is pasted into may have another PATH
    return (program,)


def _a_script(directory: str) -> str:
    """Return the name of a script to try first (str), or "" if none can be run or seen."""
    try:
        names = sorted(name for name in os.listdir(directory) if not name.startswith("."))
    except PermissionError:  # `_warn` says so
        return ""
    paths = (os.path.join(directory, name) for name in names)
    names = [os.path.basename(p) for p in paths if os.path.isfile(p) and os.access(p, os.X_OK)]
    return next((n for n in names if n.startswith("hello")), names[0] if names else "")


def _repeated(arguments: argparse.Namespace, site: Site) -> list[str]:
    """Return the command line that was given, as words that mean the same in any directory."""
    words = [*site.cgikit, "config", arguments.server, site.root]
    paths = {"state": site.state, "socket": site.socket, "users": site.users}
    for name in ("listen", "port", "prefix", "state", "socket", "user", "users"):
        value = getattr(arguments, name)
        if value is not None:
            words += [f"--{name}", str(paths.get(name, value or "/"))]
    words += ["--persistent"] if arguments.persistent else []
    return words + _passed_on(arguments)


def _fail(message: str, status: int = 1) -> int:
    complain("config", message)
    return status


def _address(text: str) -> str:
    try:
        # Few configurations can name the zone of an IPv6 address
        if "%" in text:
            raise ValueError
        return str(ip_address(text.removeprefix("[").removesuffix("]")))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not an IP address") from None


def _prefix(text: str) -> str:
    text = text.rstrip("/")
    if not _PREFIX.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a URL path such as /cgi-bin, of letters, digits and -._~"
        )
    return text


def _variable(text: str) -> str:
    if not (text.isascii() and text.isidentifier()):
        raise argparse.ArgumentTypeError(f"{text!r} is not the name of a variable, such as LANG")
    return text


def _user(text: str) -> str:
    if not _USER.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a user name, such as www-data")
    return text
