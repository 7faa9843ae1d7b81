"""Caddy 2, in front of `cgikit fastcgi`; Caddy cannot run scripts itself."""

import re
import subprocess

from .programs import absolute, command
from .quoting import caddy as quoted
from .quoting import caddy_socket, shell
from .recipe import Recipe
from .site import Site

SERVER = """\
{{
\tadmin off
\tauto_https off
\tstorage file_system {storage}
\tlog {{
\t\tlevel WARN
\t}}
}}

http://:{port} {{
\tbind {host}
\troot * {documents}

{body}
\tfile_server
}}
"""

SNIPPET = """\
{handle} {{
{password}\t# A body of unknown length (chunked) is read into memory, and then gets its CONTENT_LENGTH
\t@unsized not header Content-Length *
\trequest_body @unsized {{
\t\tmax_size 64MiB
\t}}
\treverse_proxy @unsized {socket} {{
\t\t{buffer}
\t\tflush_interval -1
\t\ttransport fastcgi {{
\t\t\troot {root}
\t\t\tcapture_stderr
{told}\t\t}}
\t}}

\trequest_body {{
\t\tmax_size {body}MiB
\t}}
\treverse_proxy {socket} {{
\t\t# Flushed output reaches the client at once
\t\tflush_interval -1
\t\ttransport fastcgi {{
\t\t\troot {root}
\t\t\tcapture_stderr
{told}\t\t}}
\t}}
}}
"""

#: The first up to 2.6, the second since 2.7.
BUFFER = ("buffer_requests", "request_buffers 64MiB")


def _snippet(site: Site) -> str:
    handle = f"handle {site.location}*"
    if site.persistent:
        pattern = site.prefix.replace(".", "[.]")  # the only special character in a prefix
        handle = f'@script path_regexp script "(?s)^{pattern}(/.*)?$"\nhandle @script'
    elif site.single and site.prefix:  # not paths that only begin with the same letters
        handle = f"@script path {site.prefix} {site.location}*\nhandle @script"
    return SNIPPET.format(
        handle=handle,
        body=site.body,
        socket=caddy_socket(site.socket),
        root=quoted(site.root),
        buffer=BUFFER[_since(2, 7)],
        password=_password(site),
        told="".join(f"\t\t\tenv {line}\n" for line in _told(site)),
    )


def _password(site: Site) -> str:
    if not site.users:
        return ""
    asks = "basic_auth" if _since(2, 8) else "basicauth"
    return (
        "\t# No script runs without a valid password\n"
        f"\t{asks} {{\n\t\timport {quoted(site.users)}\n\t}}\n"
    )


def _told(site: Site) -> list[str]:
    """Return the variables that Caddy would otherwise send with another value."""
    lines = []
    if site.users:
        lines += ["AUTH_TYPE Basic", "REMOTE_USER {http.auth.user.id}"]
    if site.persistent:
        lines += [f'SCRIPT_NAME "{site.prefix}"', "PATH_INFO {http.regexp.script.1}"]
    return lines


def _since(*version: int) -> bool:
    """Whether Caddy is of this version or later; if it is not installed, that is assumed."""
    try:
        asked = [absolute("caddy"), "version"]
        told = subprocess.run(  # noqa: S603  # a program of the machine, by its path
            asked, capture_output=True, text=True, timeout=10
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return True
    found = re.match(r"v?(\d+)\.(\d+)", told)
    return not found or (int(found[1]), int(found[2])) >= version


def _whole(site: Site) -> str:
    return SERVER.format(
        storage=quoted(site.own("caddy")),
        port=site.port,
        host=site.host,
        documents=quoted(site.documents),
        body="".join(f"\t{line}\n" if line else "\n" for line in _snippet(site).splitlines()),
    )


def _start(site: Site, file: str) -> str:
    # Caddy keeps a copy of its configuration, and complains if it cannot
    config = f"XDG_CONFIG_HOME={site.own('caddy')}"
    return site.as_user(
        "env", config, command("caddy"), "run", "--adapter", "caddyfile", "--config", file
    )


def _check(site: Site, file: str) -> str:
    return f"{shell(command('caddy'))} validate --adapter caddyfile --config {shell(file)}"


CADDY = Recipe(
    "Caddy in front of cgikit fastcgi: scripts run warm, a process for every request.",
    "Caddyfile",
    _whole,
    _start,
    _check,
    "fastcgi",
    asks=True,
    snippet=_snippet,
    place="into the site's block of the Caddyfile, then: systemctl reload caddy",
    notes="""
        With a domain name instead of "http://:port", and without "bind" and "auto_https off", Caddy
        obtains certificates automatically.

        The scripts' standard error is that of cgikit fastcgi.
        """,
)
