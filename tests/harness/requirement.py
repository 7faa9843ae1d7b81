"""What a test needs from the machine, and what happens where the machine lacks it.

A test says `need("apache2")` and gets the program's path. Where it is not installed the test is
skipped by name, with the command that installs it; with CGIKIT_REQUIRE=all in the environment it
fails instead. The hooks below hold for every other skip too: under CGIKIT_REQUIRE=all a run with
any skip in it has failed, whoever skipped.
"""

import os
import shutil
import socket
from pathlib import Path
from typing import NoReturn

import pytest

#: The Debian package that brings a program, where the two names differ.
PACKAGE_OF = {
    "/usr/lib/cgi-bin/awstats.pl": "awstats",
    "/usr/lib/cgit/cgit.cgi": "cgit",
    "/usr/share/gitweb/gitweb.cgi": "git",
    "/usr/share/i18n/charmaps/ISO-8859-1.gz": "locales",
    "/usr/share/perl5/CGI.pm": "libcgi-pm-perl",
    "/usr/share/perl5/CGI.pod": "libcgi-pm-perl",
    "/usr/share/perl5/CGI/Carp.pm": "libcgi-pm-perl",
    "/usr/share/perl5/CGI/Cookie.pm": "libcgi-pm-perl",
    "/usr/share/perl5/CGI/Fast.pm": "libcgi-fast-perl",
    "/usr/share/perl5/CGI/HTML/Functions.pod": "libcgi-pm-perl",
    "/usr/share/perl5/CGI/Push.pm": "libcgi-pm-perl",
    "/usr/share/perl5/CGI/Session.pm": "libcgi-session-perl",
    "/usr/share/perl5/CGI/Simple.pm": "libcgi-simple-perl",
    "/usr/share/perl5/CGI/Util.pm": "libcgi-pm-perl",
    "cgi-fcgi": "libfcgi-bin",
    "cc": "tcc libc6-dev",
    "chromedriver": "chromium-driver",
    "hg": "mercurial",
    "htpasswd": "apache2-utils",
    "java": "default-jre-headless",
    "mini_httpd": "mini-httpd",
    "localedef": "libc-bin",
    "pgrep": "procps",
    "prlimit": "util-linux",
    "setpriv": "util-linux",
    "systemd-analyze": "systemd",
    "uwsgi": "uwsgi-core uwsgi-plugin-python3",
}

#: Servers live where an ordinary user's PATH does not look.
EXTRA_PATH = "/usr/local/sbin:/usr/sbin:/sbin"

#: Where `make checkers` puts what judges pages.
NODE = Path(__file__).parents[2] / ".npm" / "node_modules"


def require_all() -> bool:
    """Whether a skip counts as a failure: CGIKIT_REQUIRE=all."""
    return os.environ.get("CGIKIT_REQUIRE") == "all"


def find(program: str) -> str | None:
    """Return the path of an installed program, None if there is none; a path may be any file's."""
    if os.path.isabs(program):
        return program if os.path.exists(program) else None
    search = f"{os.environ.get('PATH', os.defpath)}:{EXTRA_PATH}"
    return shutil.which(program, path=search)


def need(program: str) -> str:
    """Return the path of an installed program; skip the test, or fail it, if there is none."""
    path = find(program)
    if path is None:
        lack(f"{program} (apt-get install {PACKAGE_OF.get(program, program)})")
    return path


def need_node(package: str, file: str) -> Path:
    """Return a file of a package of npm's; skip the test, or fail it, if it is not installed."""
    path = NODE / package / file
    if not path.exists():
        lack(f"{package} (make checkers; npm has to be installed)")
    return path


def has_address(host: str) -> bool:
    """Whether this machine can listen at an address, such as ::1."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, 0), family=family).close()
    except OSError:
        return False
    return True


def need_address(host: str) -> str:
    """Return an address that this machine can listen at; skip the test, or fail it, if it cannot."""
    if not has_address(host):
        lack(f"the address {host}")
    return host


def lack(what: str) -> NoReturn:
    """End the test because the machine lacks `what`: skipped by name, failed under require-all."""
    if require_all():
        pytest.fail(f"needs {what}, and CGIKIT_REQUIRE=all allows no skip", pytrace=False)
    pytest.skip(f"needs {what}")


def skipped(config: pytest.Config) -> list[pytest.TestReport]:
    """The reports of everything skipped in this run, whole modules too."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return list(reporter.stats.get("skipped", [])) if reporter else []


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Turn a run with skips into a failed one where nothing may be skipped."""
    if require_all() and skipped(session.config) and not session.exitstatus:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say why a run without a failed test has failed."""
    if require_all() and (reports := skipped(terminalreporter.config)):
        terminalreporter.section("CGIKIT_REQUIRE=all", red=True)
        terminalreporter.line(f"{len(reports)} skipped, where nothing may be; see above for what")
