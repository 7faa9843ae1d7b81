"""Who answers: each contender's command line, and the version of what it runs on.

A contender is a directory of scripts, one a work, and an interpreter. One that is not installed is
left out and named in the results; `Contender.package` says which Debian package brings it.
"""

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from works import BARE, CAT, DD, Work

SCRIPTS = Path(__file__).with_name("scripts")
PHP_LIMITS = ("-d", "upload_max_filesize=2G", "-d", "post_max_size=2G", "-d", "memory_limit=512M")


@dataclass(frozen=True)
class Contender:
    """`command(script)` is the argv, `version` what it runs on, `missing` "" where it can run."""

    name: str
    directory: str
    suffix: str
    command: Callable[[Path], list[str]]
    version: str
    missing: str = ""
    package: str = ""
    silent: bool = False  # it answers nothing
    copies: bool = False  # nor this one: it copies its input to its output

    def argv(self, work: Work, home: Path) -> list[str] | None:
        """Return the command for a work, or None where `home` has no script for it."""
        if work.only and self.name not in work.only:
            return None
        if not self.directory:
            return self.command(home) if self.copies == bool(work.size) else None
        script = home / f"{work.script}{self.suffix}"
        return self.command(script) if script.exists() else None


def contenders(venv: Path) -> list[Contender]:
    """List all contenders: Python's from the virtual environment, others from the machine."""
    python = str(venv / "bin" / "python3")
    return [
        Contender(
            BARE,
            "",
            "",
            lambda _: [python, "-c", "pass"],
            _python(python, "sys.version"),
            silent=True,
        ),
        Contender(
            "Python, empty script", "empty", ".py", lambda s: [python, str(s)], "", silent=True
        ),
        _copier(CAT, "cat"),
        _copier(DD, "dd", "bs=128K", "status=none"),
        _in_python(python, "Python, by hand", "by_hand", ""),
        _in_python(python, "cgikit", "cgikit", "cgikit"),
        _in_python(python, "cgikit, without run()", "cgikit_plain", "cgikit"),
        _elsewhere("Perl CGI.pm", "perl", ".pl", ["perl"], _PERL, _PERL_PACKAGES),
        _elsewhere("PHP", "php", ".php", ["php-cgi", *PHP_LIMITS], _PHP, "php-cgi"),
        _elsewhere("Ruby cgi", "ruby", ".rb", ["ruby"], _RUBY, "ruby"),
        _go(venv),
        _in_python(python, "legacy-cgi", "legacy_cgi", "legacy-cgi"),
        _in_python(python, "cgikit.compat", "compat", "cgikit"),
        _in_python(python, "cgikit.compat, install()", "compat_install", "cgikit"),
        _in_python(python, "Bottle", "bottle", "bottle"),
        _in_python(python, "Werkzeug, wsgiref", "werkzeug", "werkzeug"),
    ]


_PERL_PACKAGES = "perl libcgi-pm-perl libcgi-session-perl"
_PERL = [
    "perl",
    "-MCGI",
    "-MCGI::Session",
    "-e",
    'printf "CGI.pm %s, CGI::Session %s, Perl %vd", CGI->VERSION, CGI::Session->VERSION, $^V',
]
_PHP = ["php-cgi", "-v"]
_RUBY = ["ruby", "-rcgi", "-e", 'print "Ruby #{RUBY_VERSION}"']


def _in_python(python: str, name: str, directory: str, distribution: str) -> Contender:
    version = ""
    if distribution == "legacy-cgi" and _python(python, "sys.version_info < (3, 13)") == "True":
        version = "the standard library's own cgi, which comes first before 3.13"
    elif distribution:
        version = _python(python, f"importlib.metadata.version({distribution!r})")
    return Contender(name, directory, ".py", lambda script: [python, str(script)], version)


def _copier(name: str, *command: str) -> Contender:
    argv = [_which(command[0]), *command[1:]]
    version = _line([command[0], "--version"])
    return Contender(name, "", "", lambda _: argv, version, silent=True, copies=True)


def _elsewhere(
    name: str, directory: str, suffix: str, command: list[str], probe: list[str], package: str
) -> Contender:
    version = _line(probe)
    argv = [_which(command[0]), *command[1:]]
    # php-cgi takes the script from the environment, as servers give it.
    run = (lambda _: argv) if directory == "php" else (lambda script: [*argv, str(script)])
    missing = "" if version else f"{probe[0]} or its CGI library is not installed"
    return Contender(name, directory, suffix, run, version, missing, package)


def _go(venv: Path) -> Contender:
    """Build each Go program into the virtual environment's directory, which git ignores."""
    version = _line(["go", "version"])
    target = venv / "go"
    if version:
        environ = {
            **os.environ,
            "GO111MODULE": "off",
            "GOFLAGS": "",
            "GOCACHE": str(target / "cache"),
        }
        for source in sorted((SCRIPTS / "go").glob("*.go")):
            command = ["go", "build", "-o", str(target / source.stem), str(source)]
            subprocess.run(command, env=environ, check=True, cwd=venv)
    missing = "" if version else "go is not installed"
    return Contender(
        "Go net/http/cgi",
        "go",
        ".go",
        lambda script: [str(target / script.stem)],
        version.removeprefix("go version "),
        missing,
        "golang-go",
    )


def _which(command: str) -> str:
    return shutil.which(command) or command


def _line(command: list[str]) -> str:
    """Return the first line a command prints, or "" where it is missing or fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.partition("\n")[0].strip()


def _python(python: str, expression: str) -> str:
    code = f"import importlib.metadata, sys; print({expression})"
    return _line([python, "-c", code])
