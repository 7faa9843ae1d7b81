"""Who answers behind which server: a table of contenders, and the programs that stand behind them.

A contender is one way from a port to a script. A backend is a program that listens for a web server;
several contenders may share one. What is missing on this machine is named in the results.
"""

import os
import shutil
import socket
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from gateways.processes import Running, clean_environ, listening_socket

WORKERS = 2  # of every backend that has workers: one for each core of the machine of reference


@dataclass
class Contender:
    """`front` is apache, nginx or own (the backend speaks HTTP itself); `way`, how it is called."""

    name: str
    front: str
    way: str
    script: str
    backend: str = ""
    kept: bool = False  # connections to the backend are kept
    front_in: str = ""  # the language of its front, where `cgikit accelerate` has made one
    port: int = 0
    socket: Path | None = None

    @property
    def path(self) -> str:
        """The URL's path: the directory of scripts is the root where there is no web server."""
        return f"/{self.script}" if self.front == "own" else f"/cgi-bin/{self.script}"


PY, LEGACY, PRINT = "cgikit/get.py", "legacy_cgi/get.py", "by_hand/get.py"
COMPAT = "compat/get.py"
CGID, LEGACY_CGID = "cgikit script, mod_cgid", "legacy-cgi script, mod_cgid"
ACCELERATED = "cgikit script, accelerated, mod_cgid"
LEGACY_ACCELERATED = "legacy-cgi script, accelerated, mod_cgid"
PRINT_ACCELERATED = "Python print, accelerated, mod_cgid"
PYTHON_FRONT = "cgikit script, accelerated, front in Python, mod_cgid"
PRINT_CGID, PERL_CGID = "Python print, mod_cgid", "Perl CGI.pm, mod_cgid"
PHP_CGID, GO = "PHP, mod_cgid", "Go, compiled, mod_cgid"
WARM, LEGACY_WARM = "cgikit script, warm, Apache FastCGI", "legacy-cgi script, warm, Apache FastCGI"
COMPAT_WARM = "cgikit.compat script, warm, Apache FastCGI"
PRINT_WARM = "Python print, warm, Apache FastCGI"
REUSED, REUSED_NGINX = "cgikit script, --reuse, Apache", "cgikit script, --reuse, nginx"
LEGACY_REUSED = "legacy-cgi script, --reuse, Apache"
LEGACY_REUSED_NGINX = "legacy-cgi script, --reuse, nginx"
COMPAT_REUSED = "cgikit.compat script, --reuse, Apache"
COMPAT_REUSED_NGINX = "cgikit.compat script, --reuse, nginx"
WARM_NGINX = "cgikit script, warm, nginx FastCGI"
WARM_SCGI, WARM_NGINX_SCGI = "cgikit script, warm, Apache SCGI", "cgikit script, warm, nginx SCGI"
PERSISTENT, PERSISTENT_NGINX = "run(handler) persistent, Apache", "run(handler) persistent, nginx"
FAST, FAST_NGINX = "Perl CGI::Fast, Apache", "Perl CGI::Fast, nginx"
SPAWNED = "cgikit script, spawned, Apache FastCGI"
PHP_FAST, PHP_FAST_NGINX = "PHP, FastCGI, Apache", "PHP, FastCGI, nginx"
GUNICORN, MOD_WSGI = "WSGI(handler), gunicorn, nginx", "WSGI(handler), mod_wsgi"
SERVE, SERVE_WARM = "cgikit script, cgikit serve", "cgikit script, cgikit serve --warm"
STATIC, STATIC_NGINX = "a static file, Apache", "a static file, nginx"


def contenders() -> list[Contender]:
    """List all contenders, in the order of the table."""
    return [
        Contender(STATIC, "apache", "static", "page.html"),
        Contender(STATIC_NGINX, "nginx", "static", "page.html"),
        Contender(PRINT_CGID, "apache", "cgid", PRINT),
        Contender(CGID, "apache", "cgid", PY),
        Contender(LEGACY_CGID, "apache", "cgid", LEGACY),
        _accelerated(PRINT_ACCELERATED, PRINT, "perl"),
        _accelerated(ACCELERATED, PY, "perl"),
        _accelerated(PYTHON_FRONT, PY, "python"),
        _accelerated(LEGACY_ACCELERATED, LEGACY, "perl"),
        Contender(PERL_CGID, "apache", "cgid", "perl/get.pl"),
        Contender(PHP_CGID, "apache", "cgid", "php/get.php"),
        Contender(GO, "apache", "cgid", "go/get"),
        Contender(SPAWNED, "apache", "fcgi", PY, "spawn"),
        Contender(WARM, "apache", "fcgi", PY, "fcgi"),
        Contender(WARM_SCGI, "apache", "scgi", PY, "scgi"),
        Contender(WARM_NGINX, "nginx", "fcgi", PY, "fcgi"),
        Contender(WARM_NGINX_SCGI, "nginx", "scgi", PY, "scgi"),
        Contender(f"{WARM}, kept", "apache", "fcgi", PY, "fcgi", kept=True),
        Contender(f"{WARM_NGINX}, kept", "nginx", "fcgi", PY, "fcgi", kept=True),
        Contender(PRINT_WARM, "apache", "fcgi", PRINT, "fcgi"),
        Contender(LEGACY_WARM, "apache", "fcgi", LEGACY, "fcgi"),
        Contender(COMPAT_WARM, "apache", "fcgi", COMPAT, "fcgi"),
        Contender(REUSED, "apache", "fcgi", PY, "reuse"),
        Contender(REUSED_NGINX, "nginx", "fcgi", PY, "reuse"),
        Contender(LEGACY_REUSED, "apache", "fcgi", LEGACY, "reuse"),
        Contender(LEGACY_REUSED_NGINX, "nginx", "fcgi", LEGACY, "reuse"),
        Contender(COMPAT_REUSED, "apache", "fcgi", COMPAT, "reuse"),
        Contender(COMPAT_REUSED_NGINX, "nginx", "fcgi", COMPAT, "reuse"),
        Contender(PERSISTENT, "apache", "fcgi", PY, "run"),
        Contender(PERSISTENT_NGINX, "nginx", "fcgi", PY, "run"),
        Contender(f"{PERSISTENT}, kept", "apache", "fcgi", PY, "run", kept=True),
        Contender(f"{PERSISTENT_NGINX}, kept", "nginx", "fcgi", PY, "run", kept=True),
        Contender(FAST, "apache", "fcgi", "cgi_fast/get.pl", "perl"),
        Contender(FAST_NGINX, "nginx", "fcgi", "cgi_fast/get.pl", "perl"),
        Contender(PHP_FAST, "apache", "fcgi", "php/get.php", "php"),
        Contender(PHP_FAST_NGINX, "nginx", "fcgi", "php/get.php", "php"),
        Contender(GUNICORN, "nginx", "http", "wsgi/get.py", "gunicorn"),
        Contender(MOD_WSGI, "apache", "wsgi", "wsgi/get.py"),
        Contender(SERVE, "own", "http", PY, "serve"),
        Contender(SERVE_WARM, "own", "http", PY, "serve-warm"),
    ]


def _accelerated(name: str, script: str, kind: str) -> Contender:
    directory = f"{script.partition('/')[0]}-{kind}"
    return Contender(name, "apache", "cgid", f"{directory}/get.cgi", front_in=kind)


@dataclass
class Backend:
    """A program behind a web server. `command(address)` is its argv.

    `listens`: "argument", it makes the socket that is named to it; "stdin", it is given one on
    descriptor 0; "port", it is told a port of loopback.
    """

    name: str
    command: Callable[[str], list[str]]
    listens: str = "argument"
    copies: int = 1  # how many are started on the same socket, as spawn-fcgi -F does
    environ: dict[str, str] = field(default_factory=dict)
    missing: str = ""

    def start(self, home: Path, port: int) -> tuple[list[Running], Path | int]:
        """Start it and wait until it listens. Returns the processes and the address."""
        log = home / f"{self.name}.log"
        path = home / f"{self.name}.sock"
        address: Path | int = port if self.listens == "port" else path
        stdin: socket.socket | None = listening_socket(path) if self.listens == "stdin" else None
        environ = clean_environ(**self.environ)
        argv = self.command(str(address))
        started = [Running(argv, log, environ, stdin=stdin) for _ in range(self.copies)]
        if stdin is not None:
            stdin.close()
        try:
            started[0].wait_for(address)
        except Exception:
            for one in started:
                one.stop()
            raise
        return started, address


def backends(venv: Path, scripts: Path) -> dict[str, Backend]:
    """List the backends by name."""
    python, cgikit = str(venv / "bin" / "python3"), str(venv / "bin" / "cgikit")
    common = [str(scripts), "--prefix", "/cgi-bin", "--workers", str(WORKERS)]

    def gateway(protocol: str, *more: str) -> Callable[[str], list[str]]:
        return lambda address: [cgikit, protocol, *common, "--socket", address, *more]

    def serve(*more: str) -> Callable[[str], list[str]]:
        return lambda port: [cgikit, "serve", str(scripts), "--port", port, *more]

    def gunicorn(address: str) -> list[str]:
        where = ["--chdir", str(scripts / "wsgi"), "--bind", f"unix:{address}"]
        return [python, "-m", "gunicorn", "--workers", str(WORKERS), *where, "get:application"]

    php = {"PHP_FCGI_CHILDREN": str(WORKERS), "PHP_FCGI_MAX_REQUESTS": "0"}
    found = [
        Backend("fcgi", gateway("fastcgi")),
        Backend("reuse", gateway("fastcgi", "--reuse", "*.py")),
        Backend("scgi", gateway("scgi")),
        Backend("spawn", gateway("fastcgi", "--spawn")),
        Backend(
            "run",
            lambda _: [python, str(scripts / PY)],
            "stdin",
            environ={"CGIKIT_WORKERS": str(WORKERS)},
        ),
        Backend(
            "perl",
            lambda _: ["/usr/bin/perl", str(scripts / "cgi_fast/get.pl")],
            "stdin",
            WORKERS,
            missing=_lacks("perl", "-MCGI::Fast", "-e1") and "libcgi-fast-perl",
        ),
        Backend(
            "php",
            lambda _: ["php-cgi"],
            "stdin",
            environ=php,
            missing=_lacks("php-cgi", "-v") and "php-cgi",
        ),
        Backend("gunicorn", gunicorn, missing=_lacks(python, "-c", "import gunicorn")),
        Backend("serve", serve(), "port"),
        Backend("serve-warm", serve("--warm"), "port"),
        Backend(
            "bare",
            lambda _: [python, str(Path(__file__).with_name("bare.py"))],
            "stdin",
            WORKERS,
        ),
    ]
    return {one.name: one for one in found}


def _lacks(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, env=clean_environ())
    except OSError:
        return command[0]
    return " ".join(command[1:]) if done.returncode else ""


def lay_out(source: Path, target: Path, venv: Path) -> None:
    """Copy the scripts as a site has them: executable, with a first line that names the program."""
    first = {".py": str(venv / "bin" / "python3"), ".pl": shutil.which("perl") or "/usr/bin/perl"}
    first[".php"] = shutil.which("php-cgi") or "/usr/bin/php-cgi"
    for script in source.glob("*/*"):
        if script.suffix in first:
            copy = target / script.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(f"#!{first[script.suffix]}\n{script.read_text()}")
            copy.chmod(0o755)


def build_go(source: Path, target: Path, cache: Path) -> bool:
    """Compile a Go program. False where there is no compiler."""
    if not shutil.which("go"):
        return False
    environ = {**os.environ, "GO111MODULE": "off", "GOFLAGS": "", "GOCACHE": str(cache)}
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["go", "build", "-o", str(target), str(source)], env=environ, check=True)
    target.chmod(0o755)
    return True
