"""The ways to serve a site: what `cgikit config` prints, and httpd's mod_cgid as the reference."""

import contextlib
from collections.abc import Iterator

from servers.printed import printed
from servers.rows import ROWS, Row
from servers.server import Server

from .site import Site

REFERENCE = "apache-mod_cgid"

#: `cgikit serve` has its scripts at the root of the URLs, so all have.
WAYS = {
    REFERENCE: ROWS["apache-mod_cgid"],
    "serve": Row("cgikit", ()),
    "serve-warm": ROWS["cgikit-serve-warm"],
    "nginx-fastcgi": ROWS["nginx-fastcgi"],
    "apache-fastcgi": ROWS["apache-mod_proxy_fcgi"],
    "lighttpd-fastcgi": ROWS["lighttpd-fastcgi"],
}


@contextlib.contextmanager
def served(way: str, site: Site) -> Iterator[Server]:
    """Serve a site in one way until the block ends."""
    row = WAYS[way]
    place = site.root / "server"
    place.mkdir()
    row = Row(row.config, row.needs, row.logs, row.by_root, row.named_interpreter, prefix="/")
    change = cold if way == "serve" else None
    with printed(way, row, place, site.scripts, site.interpreter, change=change) as server:
        yield server


def cold(text: str) -> str:
    """The printed command of `cgikit serve`, without the option that is the other way."""
    assert text.count(" --warm") == 1
    return text.replace(" --warm", "")
