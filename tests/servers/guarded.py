"""A server that asks for a password before a script runs: what docs/config.md says, word for word.

`GUARDS` has, by the name in `cgikit config`, what puts that text where the page says it belongs. The
user is Aladdin, the password "open sesame".
"""

import re
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
APR1 = "$apr1$elKWP.9S$Pbx3kfm0Ru51dEVmN3DF31"
MD5 = "$1$tVdT7/Hw$3aoDKcrJ1rRAJXngQVnlb1"
BCRYPT = "$2a$05$esf/H3nffjLkVJ7Q6GU0DOAeDOr.3l9nMpcF/LP5eLNsSwXwO/BX."


def blocks(title: str) -> list[str]:
    """The indented blocks of docs/config.md that follow a title in bold, up to the next one."""
    text = (ROOT / "docs" / "config.md").read_text().partition("## Ask for a password")[2]
    section = text.partition(f"**{title}**:")[2].partition("\n**")[0].partition("\n## ")[0]
    found = re.findall(r"(?:^    .*\n)+", section, re.MULTILINE)
    return ["".join(line[4:] + "\n" for line in block.splitlines()) for block in found]


def replaced(text: str, old: str, new: str, count: int = 1) -> str:
    """`text` with `old` replaced, which has to be there so often."""
    assert text.count(old) == count, f"{old!r} is there {text.count(old)} times"
    return text.replace(old, new)


def users(text: str, root: Path) -> str:
    """The text with the file of the users, which is made, in place of the page's."""
    file = root / "users"
    file.write_text(f"Aladdin:{APR1}\n")
    return replaced(text, "/srv/site/users", str(file))


def behind(title: str) -> Callable[[str, Path, Path], str]:
    """For servers where the block is put at the end."""
    return lambda text, root, scripts: text + users(blocks(title)[0], root)


def nginx(parameter: str) -> Callable[[str, Path, Path], str]:
    """In the location, at its end."""

    def guard(text: str, root: Path, scripts: Path) -> str:
        added = users(blocks("nginx")[0], root).replace("fastcgi_param", parameter)
        return replaced(text, "_send_timeout 75s;\n", f"_send_timeout 75s;\n{added}")

    return guard


def caddy(text: str, root: Path, scripts: Path) -> str:
    """Before the handle, and in both transports."""
    asks, tells = blocks("Caddy")
    asks = replaced(asks, "$2a$14$...", BCRYPT)
    text = replaced(text, "\thandle ", f"{asks}\thandle ")
    return replaced(text, "\ttransport fastcgi {\n", f"\ttransport fastcgi {{\n{tells}", 2)


def busybox(text: str, root: Path, scripts: Path) -> str:
    """A file of its own."""
    file = root / "httpd.conf"
    file.write_text(replaced(blocks("BusyBox httpd")[0], "$1$...", MD5))
    return replaced(text, "-c /dev/null", f"-c {file}")


def mini_httpd(text: str, root: Path, scripts: Path) -> str:
    """A file in each directory of scripts."""
    for directory in (scripts, *(path for path in scripts.rglob("*") if path.is_dir())):
        (directory / ".htpasswd").write_text(f"Aladdin:{MD5}\n")
    return text


Guard = Callable[[str, Path, Path], str]

GUARDS: dict[str, Guard] = {
    "apache-mod_cgid": behind("Apache"),
    "apache-mod_cgi": behind("Apache"),
    "apache-mod_proxy_fcgi": behind("Apache"),
    "apache-mod_proxy_scgi": behind("Apache"),
    "nginx-fcgiwrap": nginx("fastcgi_param"),
    "nginx-fastcgi": nginx("fastcgi_param"),
    "nginx-scgi": nginx("scgi_param"),
    "lighttpd-cgi": behind("lighttpd"),
    "lighttpd-fastcgi": behind("lighttpd"),
    "lighttpd-scgi": behind("lighttpd"),
    "caddy-fastcgi": caddy,
    "busybox-httpd": busybox,
    "mini-httpd": mini_httpd,
}
