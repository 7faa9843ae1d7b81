"""WSGI servers on loopback, over the same scripts as the CGI servers: see wsgi/application.py.

gunicorn and waitress run on the Python that runs the tests. uWSGI and httpd's mod_wsgi have the
distribution's own built in; they get a virtual environment that was made from it.
"""

import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from ports import free_port
from requirement import lack, need

from .interpreter import Interpreter, server_user
from .server import LOOPBACK, NotStarted, Server, listens, running, wait_until

APPLICATION = Path(__file__).parent / "wsgi"

#: Under which names they run, and which program each needs.
WSGI_SERVERS = {
    "gunicorn": "",  # worker processes with one thread each
    "gunicorn-gthread": "",
    "waitress": "",
    "uwsgi": "uwsgi",
    "apache-mod_wsgi": "apache2",
}

#: Those that run as the user of the tests; the others' scripts belong to `server_user()`.
OWN_USER = {"gunicorn", "gunicorn-gthread", "waitress"}

PLUGINS = ("/usr/lib/uwsgi/plugins", "/usr/lib/uwsgi")
MODULES = ("/usr/lib/apache2/modules", "/usr/lib64/httpd/modules", "/usr/lib/httpd/modules")

MOD_WSGI = """\
LoadModule mpm_event_module "{modules}/mod_mpm_event.so"
LoadModule authz_core_module "{modules}/mod_authz_core.so"
LoadModule wsgi_module "{modules}/mod_wsgi.so"
ServerRoot "{root}"
DefaultRuntimeDir "{root}"
PidFile "{root}/httpd.pid"
Mutex "file:{root}" default
Listen {address}:{port}
ServerName {address}:{port}
{identity}
ErrorLog "{root}/error.log"
LogLevel warn
WSGIChunkedRequest On
WSGISocketPrefix "{root}/wsgi"
WSGIDaemonProcess site processes=2 threads=4 home="{scripts}" python-home="{python}" {user}
WSGIScriptAlias /cgi-bin "{application}/application.py" process-group=site application-group=%{{GLOBAL}}
<Directory "/">
    Require all denied
    AllowOverride None
</Directory>
<Directory "{application}">
    Require all granted
</Directory>
"""


@contextlib.contextmanager
def wsgi_server(
    name: str, root: Path, scripts: Path, interpreter: Callable[[], Interpreter]
) -> Iterator[Server]:
    """Run a server of `WSGI_SERVERS` over `scripts` until the block ends.

    `interpreter` gives the virtual environment of those that need one.
    """
    if WSGI_SERVERS[name]:
        need(WSGI_SERVERS[name])
    application = root / "wsgi"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(APPLICATION, application, ignore=ignored)
    shutil.copy(APPLICATION / "kinds.py", scripts)
    user = None if name in OWN_USER else server_user()
    for attempt in (1, 2, 3):
        port = free_port()
        log = root / f"{name}-{attempt}.log"
        if name == "apache-mod_wsgi":
            configuration = mod_wsgi(root, scripts, application, interpreter(), port)
            command = [need("apache2"), "-f", str(configuration), "-DFOREGROUND"]
            started = running(command, log, environment(application), signal.SIGTERM)
        else:
            make = interpreter if name == "uwsgi" else None
            command = command_of(name, port, application, make)
            command = ["env", f"--chdir={scripts}", *command]
            started = running(command, log, environment(application), signal.SIGTERM, user)
        with started as process:
            try:
                wait_until(partial(listens, LOOPBACK, port), process, log)
            except NotStarted as error:
                if attempt < 3 and "in use" in str(error):
                    continue
                raise
            url = f"http://{LOOPBACK}:{port}/cgi-bin/"
            logs = (root / "error.log",)
            yield Server(name, url, scripts, log, logs, user)
            return


@contextlib.contextmanager
def gunicorn(root: Path, module: str, environ: dict[str, str]) -> Iterator[Server]:
    """Run a gunicorn of its own over a module of wsgi/, with variables; started from `root`."""
    root.mkdir()
    port = free_port()
    log = root / "gunicorn.log"
    command = [sys.executable, "-m", "gunicorn", "--bind", f"{LOOPBACK}:{port}"]
    command += ["--threads", "4", "--chdir", str(root), module]
    variables = {**environment(APPLICATION), **environ}
    with running(command, log, variables, signal.SIGTERM) as process:
        wait_until(partial(listens, LOOPBACK, port), process, log)
        yield Server("gunicorn", f"http://{LOOPBACK}:{port}/", root, log)


def command_of(
    name: str, port: int, application: Path, interpreter: Callable[[], Interpreter] | None
) -> list[str]:
    """The command line of a server that is a program of its own."""
    address = f"{LOOPBACK}:{port}"
    if interpreter:
        return [
            need("uwsgi"), "--plugin", "python3", "--http-socket", address, "--master",
            "--buffer-size", "65535", "--die-on-term", "--need-app",
            "--processes", "2", "--threads", "4",
            "--home", str(interpreter().directory), "--pythonpath", str(application),
            "--module", "application", "--disable-logging",
        ]  # fmt: skip
    if name == "waitress":
        return [sys.executable, "-m", "waitress", "--listen", address, "application:application"]
    kind = ["gthread", "--threads", "4"] if name == "gunicorn-gthread" else ["sync"]
    return [
        sys.executable, "-m", "gunicorn", "--bind", address, "--workers", "2",
        "--worker-class", *kind, "application:application",
    ]  # fmt: skip


def environment(application: Path) -> dict[str, str]:
    """What a server gets: no variable of the test run, so that none can help or hurt."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, "PYTHONPATH": str(application)}


def mod_wsgi(
    root: Path, scripts: Path, application: Path, interpreter: Interpreter, port: int
) -> Path:
    """Write httpd's configuration; return its path."""
    modules = next((d for d in MODULES if Path(d, "mod_wsgi.so").exists()), None)
    if modules is None:
        lack("mod_wsgi (apt-get install libapache2-mod-wsgi-py3)")
    user = server_user()
    text = MOD_WSGI.format(
        modules=modules,
        root=root,
        scripts=scripts,
        application=application,
        python=interpreter.directory,
        address=LOOPBACK,
        port=port,
        identity=f"User {user}\nGroup {user}" if user else "",
        user=f"user={user} group={user}" if user else "",
    )
    path = root / "httpd.conf"
    path.write_text(text)
    return path
