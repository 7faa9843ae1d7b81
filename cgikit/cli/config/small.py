"""Servers without a configuration file of their own: the text is the program that starts them.

BusyBox httpd, mini_httpd and the `http.server` of Python up to 3.14 run scripts themselves; `cgikit
serve` needs no other server.
"""

from . import quoting
from .programs import command
from .quoting import Unsayable, python, shell
from .recipe import Recipe
from .site import Site

BUSYBOX = """\
#!/bin/sh
# "#!/usr/bin/env python3" searches this, the directory of the Python with cgikit first
PATH={path}
export PATH
umask 022
{asks}exec {program} httpd -f -p {host}:{port} -c {users} -h {documents}{user}
"""

#: Without a line for the path in the file, BusyBox asks for no password and does not say so.
BUSYBOX_ASKS = """\
# No script runs without a password: without such a line BusyBox would not ask for one
if ! grep -Eq '^(/|/cgi-bin):[^:]+:.' {users}; then
    echo "no line /cgi-bin:NAME:PASSWORD in" {users} >&2
    exit 1
fi
"""

MINI_HTTPD = """\
#!/bin/sh
umask 022
exec {program} -D -h {listen} -p {port} -d {documents} -c {pattern} -T utf-8{user}
"""

PYTHON = """\
#!/usr/bin/env python3
import functools
import http.server
import os
import socket

# "#!/usr/bin/env python3" searches this, the directory of the Python with cgikit first
os.environ["PATH"] = {path}
# This server does not change to the directory of its scripts: they find their files only from here
os.chdir({root})


class Handler(http.server.CGIHTTPRequestHandler):
    cgi_directories = [{prefix}]


class Server(http.server.ThreadingHTTPServer):
    address_family = socket.{family}


handler = functools.partial(Handler, directory={documents})
Server(({listen}, {port}), handler).serve_forever()
"""

CGIKIT = """\
#!/bin/sh
exec {command}
"""


def _busybox(site: Site) -> str:
    if site.prefix != "/cgi-bin":
        raise Unsayable("BusyBox httpd runs scripts only below /cgi-bin: omit --prefix")
    return BUSYBOX.format(
        path=shell(site.path),
        program=shell(command("busybox")),
        host=site.host,
        port=site.port,
        users=shell(site.users or "/dev/null"),
        asks=BUSYBOX_ASKS.format(users=shell(site.users)) if site.users else "",
        documents=shell(site.documents),
        user=f" -u {shell(f'{site.user}:{site.group}')}" if site.user else "",
    )


def _mini_httpd(site: Site) -> str:
    return MINI_HTTPD.format(
        program=shell(command("mini_httpd")),
        listen=site.listen,
        port=site.port,
        documents=shell(site.documents),
        pattern=shell(f"{site.prefix.lstrip('/')}/**"),
        user=f" -u {shell(site.user)}" if site.user else "",
    )


def _python(site: Site) -> str:
    return PYTHON.format(
        path=python(site.path),
        root=python(site.root),
        prefix=python(site.prefix),
        documents=python(site.documents),
        listen=python(site.listen),
        family="AF_INET6" if ":" in site.listen else "AF_INET",
        port=site.port,
    )


def _cgikit(site: Site) -> str:
    words = [*site.cgikit, "serve", site.root, "--warm"]
    words += ["--host", site.listen, "--port", str(site.port), *site.options]
    return CGIKIT.format(command=quoting.words(words))


def _shell(site: Site, file: str) -> str:
    return f"sh {shell(file)}"


def _as_user(site: Site, file: str) -> str:
    return site.as_user("sh", file)


BUSYBOX_HTTPD = Recipe(
    "BusyBox httpd: a new process for every request.",
    "busybox.sh",
    _busybox,
    _shell,
    asks=True,
    linked=True,
    notes="The scripts' standard error is the server's.",
)
MINI_HTTPD_ = Recipe(
    "mini_httpd: a new process for every request.",
    "mini-httpd.sh",
    _mini_httpd,
    _shell,
    linked=True,
    notes="""
        mini_httpd sets the PATH of its scripts to /usr/local/bin:/usr/ucb:/bin:/usr/bin, so that
        "#!/usr/bin/env python3" is the system's Python, which may not have cgikit: name the
        interpreter in the script's first line.

        mini_httpd 1.30 loses the answer to a POST: it closes its sending half as soon as it has read
        the body. The scripts' standard error is sent to the client.
        """,
)
PYTHON_HTTP = Recipe(
    "Python's own CGIHTTPRequestHandler (3.11 to 3.14): a new process for every request.",
    "python.py",
    _python,
    lambda site, file: site.as_user(site.python, file),
    linked=True,
    notes="""
        It ignores the script's Status and always answers 200, drops most header fields of the request,
        and supports only GET, HEAD and POST. Use it only to look at a page: see page deploy/servers.
        """,
)
SERVE = Recipe(
    "cgikit's own server, for development: no other server is needed.",
    "serve.sh",
    _cgikit,
    _as_user,
    prefixless=True,
    notes="The scripts are at the root of the URLs; --prefix is not used.",
)
