"""Apache httpd on loopback, with a configuration of its own, for mod_cgid and mod_cgi.

Nothing of the system's configuration is read and nothing outside the given directory is written.
"""

import contextlib
import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from requirement import lack, need

from .interpreter import Interpreter, server_user
from .server import LOOPBACK, NotStarted, Server, free_port, listens, running, wait_until

#: Debian, Fedora, Arch.
MODULE_DIRECTORIES = (
    "/usr/lib/apache2/modules",
    "/usr/lib64/httpd/modules",
    "/usr/lib/httpd/modules",
)

#: How httpd starts scripts: by a daemon of its own beside a threaded server, or from the process
#: that answers the request.
KINDS = {
    "mod_cgid": ("mpm_event", "cgid"),
    "mod_cgi": ("mpm_prefork", "cgi"),
}

#: Some builds hold a few of these compiled in; then there is no file to load.
MODULES = ("authz_core", "log_config", "unixd", "alias", "mime", "dir", "env")

CONFIGURATION = """\
{modules}
ServerRoot "{root}"
DefaultRuntimeDir "{root}"
PidFile "{root}/httpd.pid"
Mutex "file:{root}" default
Listen {address}:{port}
ServerName {address}:{port}
{identity}
ErrorLog "{root}/error.log"
LogLevel warn
DocumentRoot "{root}/htdocs"
TypesConfig "{root}/mime.types"
<IfModule mod_cgid.c>
    ScriptSock "{root}/cgid.sock"
</IfModule>
SetEnv PATH "{path}"
ScriptAlias /cgi-bin/ "{scripts}/"
<Directory "/">
    Require all denied
    AllowOverride None
</Directory>
<Directory "{root}/htdocs">
    Require all granted
</Directory>
<Directory "{scripts}">
    Options +ExecCGI
    Require all granted
</Directory>
"""


@contextlib.contextmanager
def apache(kind: str, root: Path, scripts: Path, interpreter: Interpreter) -> Iterator[Server]:
    """Run httpd over `scripts` until the block ends. `kind` is a key of `KINDS`."""
    program = need("apache2")
    root.joinpath("htdocs").mkdir(exist_ok=True)
    root.joinpath("htdocs", "page.html").write_text("<!doctype html><title>A page</title>\n")
    root.joinpath("mime.types").write_text("text/html html\ntext/plain txt\n")
    configuration = root / "httpd.conf"
    command = [program, "-f", str(configuration), "-DFOREGROUND"]
    environ = {"PATH": os.defpath, "LANG": "C"}
    log = root / "error.log"
    for attempt in (1, 2, 3):
        port = free_port()
        configuration.write_text(configure(kind, root, scripts, interpreter, port))
        with running(command, log, environ, signal.SIGTERM) as process:
            try:
                wait_until(partial(listens, port), process, log)
            except NotStarted as error:
                if attempt < 3 and "Address already in use" in str(error):
                    continue
                raise
            yield Server(f"apache-{kind}", f"http://{LOOPBACK}:{port}/cgi-bin/", scripts, log)
            return


def configure(kind: str, root: Path, scripts: Path, interpreter: Interpreter, port: int) -> str:
    """The text of httpd.conf."""
    user = server_user()
    return CONFIGURATION.format(
        modules=load_modules((*KINDS[kind], *MODULES)),
        root=root,
        address=LOOPBACK,
        port=port,
        identity=f"User {user}\nGroup {user}" if user else "",
        path=interpreter.path,
        scripts=scripts,
    )


def load_modules(names: tuple[str, ...]) -> str:
    """LoadModule lines for those modules that are files of their own in this build."""
    directory = next((Path(d) for d in MODULE_DIRECTORIES if Path(d).is_dir()), None)
    if directory is None:
        lack("the modules of httpd (apt-get install apache2)")
    files = {name: directory / f"mod_{name}.so" for name in names}
    return "\n".join(f'LoadModule {n}_module "{f}"' for n, f in files.items() if f.exists())
