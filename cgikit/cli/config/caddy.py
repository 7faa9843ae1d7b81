"""Caddy 2, in front of `cgikit fastcgi`: it has no way to run a script itself."""

from .programs import command
from .quoting import caddy as quoted
from .quoting import refuse, shell
from .recipe import Recipe
from .site import Site

SERVER = """\
{{
\tadmin off
\tauto_https off
\tpersist_config off
\tstorage file_system {storage}
\tlog {{
\t\tlevel WARN
\t}}
}}

http://:{port} {{
\tbind {listen}
\troot * {documents}
{body}\tfile_server
}}
"""

SNIPPET = """\
handle {location}* {{
\trequest_body {{
\t\tmax_size 1GiB
\t}}
\treverse_proxy {socket} {{
\t\ttransport fastcgi {{
\t\t\troot {root}
\t\t}}
\t\t# A chunked body gets its CONTENT_LENGTH only when it is here whole
\t\tbuffer_requests
\t\t# What a script flushes reaches the client now
\t\tflush_interval -1
\t}}
}}
"""


def _snippet(site: Site) -> str:
    # Between "unix/" and the path no quotes may stand
    refuse(site.socket, "\" '", "Caddy's address of a socket")
    return SNIPPET.format(
        location=site.location, socket=f"unix/{site.socket}", root=quoted(site.root)
    )


def _whole(site: Site) -> str:
    return SERVER.format(
        storage=quoted(site.file("caddy")),
        port=site.port,
        listen=site.listen,
        documents=quoted(site.documents),
        body="".join(f"\t{line}\n" for line in _snippet(site).splitlines()),
    )


def _start(site: Site, file: str) -> str:
    return site.as_user(command("caddy"), "run", "--adapter", "caddyfile", "--config", file)


def _check(site: Site, file: str) -> str:
    return f"{command('caddy')} validate --adapter caddyfile --config {shell(file)}"


CADDY = Recipe(
    "Caddy in front of cgikit fastcgi: scripts run warm, a process for every request.",
    "Caddyfile",
    _whole,
    _start,
    _check,
    "fastcgi",
    snippet=_snippet,
    place="into the site's block of the Caddyfile, then: systemctl reload caddy",
    notes="""
        Without a port, and with a domain name in place of "http://:port", and without "auto_https off",
        Caddy fetches certificates by itself.
        """,
)
