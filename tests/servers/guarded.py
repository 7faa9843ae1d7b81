"""A server that asks for a password before a script runs, as docs/deploy/config.md says.

`GUARDS` has, by the name of the row, what makes the file of the users and returns the options of
`cgikit config` that name it. The user is Aladdin, the password "open sesame".
"""

import re
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
APR1 = "$apr1$elKWP.9S$Pbx3kfm0Ru51dEVmN3DF31"
MD5 = "$1$tVdT7/Hw$3aoDKcrJ1rRAJXngQVnlb1"
BCRYPT = "$2a$05$esf/H3nffjLkVJ7Q6GU0DOAeDOr.3l9nMpcF/LP5eLNsSwXwO/BX."

#: Takes a directory for the file, and that of the scripts.
Guard = Callable[[Path, Path], list[str]]


def line(title: str, stands: str, password: str) -> str:
    """The line of a file of users that docs/deploy/config.md shows for a server, with a whole
    password.
    """
    text = (
        (ROOT / "docs" / "deploy" / "config.md").read_text().partition("## Ask for a password")[2]
    )
    section = text.partition(f"**{title}**")[2].partition("\n**")[0].partition("\n## ")[0]
    lines = re.findall(r"^(?:/cgi-bin:)?Aladdin[: ].*\n", section, re.MULTILINE)
    (found,) = [one for one in lines if one.count(stands) == 1]
    return str(found.replace(stands, password))


def users(text: Callable[[], str]) -> Guard:
    """The file of the users, and the option that names it."""

    def guard(root: Path, scripts: Path) -> list[str]:
        file = root / "users"
        file.write_text(text())
        return ["--users", str(file)]

    return guard


def mini_httpd(root: Path, scripts: Path) -> list[str]:
    """A file in each directory of scripts."""
    for directory in (scripts, *(path for path in scripts.rglob("*") if path.is_dir())):
        (directory / ".htpasswd").write_text(f"Aladdin:{MD5}\n")
    return []


htpasswd = users(lambda: f"Aladdin:{APR1}\n")

GUARDS: dict[str, Guard] = {
    "apache-mod_cgid": htpasswd,
    "apache-mod_cgi": htpasswd,
    "apache-mod_proxy_fcgi": htpasswd,
    "apache-mod_proxy_scgi": htpasswd,
    "nginx-fcgiwrap": htpasswd,
    "nginx-fastcgi": htpasswd,
    "nginx-scgi": htpasswd,
    "lighttpd-cgi": htpasswd,
    "lighttpd-fastcgi": htpasswd,
    "lighttpd-scgi": htpasswd,
    "caddy-fastcgi": users(lambda: line("Caddy", "$2a$14$...", BCRYPT)),
    "busybox-httpd": users(lambda: line("BusyBox httpd", "$1$...", MD5)),
    "mini-httpd": mini_httpd,
}
