"""WSGI servers: the scripts' handlers in the processes of gunicorn, waitress, uWSGI or mod_wsgi.

The scripts need no change. The text is a module that runs each script once, up to its call of `run`,
and makes a WSGI application of that call's arguments.
"""

import os
import sys

from . import apache
from .programs import command
from .quoting import Unsayable, python, uwsgi
from .quoting import apache as quoted
from .recipe import Recipe
from .site import Site

FILE = "site_wsgi.py"

GUNICORN_OPTIONS = ("--workers", "2", "--threads", "8")

APPLICATION = '''\
#!/usr/bin/env python3
import os
import sys
import traceback

import cgikit

ROOT = {root}
PREFIX = {location}  # of the URL
MISSING, FAILED = b"There is no such page.\\n", b"This script failed. The log says why.\\n"


def found_first(directory):
    """Let a script import the modules beside it, and not another script's of the same name."""
    sys.path[:] = [directory, *(path for path in sys.path if path != directory)]
    for name, module in list(sys.modules.items()):
        above = os.path.join(directory, name.partition(".")[0])
        file = getattr(module, "__file__", None) or ""
        if file.startswith(ROOT + os.sep) and not file.startswith(above):
            if os.path.exists(above + ".py") or os.path.isdir(above):
                del sys.modules[name]


def mounted(path):
    """Run a script up to its call of run(); return a WSGI application of that call, or None."""
    with open(path, encoding="utf-8", errors="replace") as file:
        source = file.read()
    if "cgikit" not in source or "run(" not in source:
        return None
    made = []
    original, cgikit.run = cgikit.run, lambda *given, **more: made.append(cgikit.WSGI(*given, **more))
    try:
        exec(compile(source, path, "exec"), {{"__name__": "__main__", "__file__": path}})
    finally:
        cgikit.run = original
    return made[0] if made else None


def broken(environ, start_response):
    """Answer for a script that failed, as a web server does under CGI; the log says why."""
    start_response(*plain("500 Internal Server Error", FAILED))
    return [FAILED]


def plain(status, body):
    return status, [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))]


def scripts():
    """Every script below ROOT that calls run(), by its path in the URL."""
    found = {{}}
    for directory, _, names in sorted(os.walk(ROOT)):
        found_first(directory)
        for name in sorted(names):
            path = os.path.join(directory, name)
            if not os.access(path, os.X_OK):
                continue
            try:
                application = mounted(path)
            except (Exception, SystemExit):  # the others are served nevertheless
                print(f"{{path}} failed, and answers 500:", file=sys.stderr)
                traceback.print_exc()
                application = broken
            if application:
                found[PREFIX + os.path.relpath(path, ROOT)] = application
            else:
                print(f"{{path}} does not call cgikit.run(), and is not served", file=sys.stderr)
    return found


# Scripts find their files from this directory, as under CGI
os.chdir(ROOT)
SCRIPTS = scripts()


def application(environ, start_response):
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    name = path
    while name and name not in SCRIPTS:
        name = name.rpartition("/")[0]
    if not name:
        start_response(*plain("404 Not Found", MISSING))
        return [MISSING]
    environ["SCRIPT_NAME"], environ["PATH_INFO"] = name, path[len(name) :]
    return SCRIPTS[name](environ, start_response)
'''

MOD_WSGI = """\
# Accept bodies of unknown length; otherwise they get 411
WSGIChunkedRequest On
WSGIDaemonProcess cgikit processes=2 threads=8 lang=C.UTF-8 locale=C.UTF-8{home}
WSGIScriptAlias / {file} process-group=cgikit application-group=%{{GLOBAL}}
<Directory {state}>
    Require all granted
</Directory>
"""

_NOTES = """
    The scripts' handlers run in the server's processes, which answer many requests each: module
    variables are shared between requests and between threads (page reference/wsgi). Restart the
    server after a script was changed.
    """


def _application(site: Site) -> str:
    root = python(site.root)
    # The server's locale may say that file names are ASCII
    if not site.root.isascii():
        root = f"os.fsdecode({root}.encode())"
    return APPLICATION.format(root=root, location=python(site.location))


def _gunicorn(site: Site, file: str) -> str:
    words = [*_inside(file), site.python, "-m", "gunicorn", *GUNICORN_OPTIONS]
    return site.as_user(*words, "--bind", f"{site.host}:{site.port}", "site_wsgi")


def _inside(file: str) -> tuple[str, str]:
    # Not with PYTHONPATH or --pythonpath, which a colon or a comma in the path would split; and uWSGI
    # replaces text after % or @ in its options
    return "env", f"--chdir={os.path.dirname(file)}"


def _waitress(site: Site, file: str) -> str:
    words = [*_inside(file), site.python, "-m", "waitress"]
    return site.as_user(*words, "--listen", f"{site.host}:{site.port}", "site_wsgi:application")


def _uwsgi(site: Site, file: str) -> str:
    words = [*_inside(file), command("uwsgi"), "--plugin", "python3"]
    words += ["--http-socket", f"{site.host}:{site.port}"]
    # At its end, running requests get 10 s instead of 60
    words += [
        "--worker-reload-mercy",
        "10",
        "--master",
        "--die-on-term",
        "--need-app",
        "--processes",
        "2",
        "--threads",
        "8",
    ]
    # Otherwise uWSGI drops queries of more than about a kilobyte
    words += ["--buffer-size", "65535", "--wsgi-file", os.path.basename(file)]
    if sys.prefix != sys.base_prefix:
        words += ["--home", uwsgi(sys.prefix)]
    return site.as_user(*words)


def _mod_wsgi(site: Site) -> str:
    if sys.prefix == sys.base_prefix:
        home = ""
    elif '"' in sys.prefix:
        raise Unsayable("mod_wsgi cannot use a virtual environment with a quote in its path")
    else:
        home = f" python-home={quoted(sys.prefix)}"
    body = MOD_WSGI.format(
        home=home,
        file=quoted(site.file(FILE)),
        state=quoted(site.state),
    )
    socket = f"WSGISocketPrefix {quoted(site.own('wsgi'))}\n"
    return apache.whole(site, ("mpm_event", "wsgi"), socket + body)


GUNICORN = Recipe(
    "gunicorn: runs the scripts' handlers in its processes, if they call cgikit.run().",
    FILE,
    _application,
    _gunicorn,
    notes=_NOTES,
)
WAITRESS = Recipe(
    "waitress: runs the scripts' handlers in one process, if they call cgikit.run().",
    FILE,
    _application,
    _waitress,
    notes=_NOTES,
)
UWSGI = Recipe(
    "uWSGI: runs the scripts' handlers in its processes, if they call cgikit.run().",
    FILE,
    _application,
    _uwsgi,
    notes=_NOTES
    + """

    Its python3 plugin runs the distribution's Python only: cgikit must be installed for that version.
    """,
)
APACHE_WSGI = Recipe(
    "Apache httpd, mod_wsgi: runs the scripts' handlers in its processes, if they call cgikit.run().",
    "apache-wsgi.conf",
    _mod_wsgi,
    apache.start,
    apache.check,
    companion=("gunicorn", FILE),
    notes=_NOTES
    + """

    mod_wsgi runs the distribution's Python only: cgikit must be installed for that version.
    """,
)
