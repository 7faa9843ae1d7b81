"""AWStats, a large program in Perl, with statistics of a log made for it."""

from pathlib import Path

from .site import Program, Site
from .visit import Visit

SCRIPT = "/usr/lib/cgi-bin/awstats.pl"

CONFIG = """LogFile="{state}/awstats.log"
LogType=W
LogFormat=1
SiteDomain="example.org"
HostAliases="localhost"
DirData="{state}/awstats"
DirIcons="/icon"
DNSLookup=0
UseFramesWhenCGI=0
AllowToUpdateStatsFromBrowser=1
"""

LINE = (
    '192.0.2.{number} - - [03/Feb/2024:04:{minute:02}:06 +0000] "GET /page{page}.html HTTP/1.1"'
    ' 200 {size} "http://example.net/" "Mozilla/5.0 (X11; Linux x86_64)"\n'
)


def install(site: Site) -> None:
    """The script beside its configuration, as its documentation has it, and a log."""
    site.keep("awstats")
    # No two pages or visitors have the same count: what is equal comes in any order
    visits = [visitor for visitor in range(1, 9) for _ in range(visitor)]
    lines = [
        LINE.format(number=visitor, minute=minute, page=visitor, size=minute * 11)
        for minute, visitor in enumerate(visits)
    ]
    site.keep("awstats.log", "".join(lines))
    site.script("awstats.pl", Path(SCRIPT).read_text("latin-1"))
    config = site.scripts / "awstats.tests.conf"
    config.write_text(CONFIG.format(state=site.state))


def visit(to: Visit) -> None:
    """An update from the browser, the pages, and what it refuses."""
    page = "awstats.pl?config=tests"
    to.ask("update", f"{page}&update=1&year=2024&month=02", has="example.org")
    to.ask("month", f"{page}&year=2024&month=02", has="/page6.html")
    to.ask("head", f"{page}&year=2024&month=02", "--head")
    to.ask(
        "pages",
        f"{page}&year=2024&month=02&output=urldetail&lang=de",
        has="/page6.html",
    )
    to.ask("frames", f"{page}&framename=mainleft&year=2024&month=02")
    to.ask("escaped", f"{page}&year=2024&month=02&output=urldetail&urlfilter=%3Cb%3E")
    to.ask("no configuration", "awstats.pl?config=none", has="Error")


PROGRAM = Program(
    "awstats",
    ("perl", SCRIPT),
    install,
    visit,
    hide=(
        r"\w{3} \w{3} \d\d [\d:]{8} \d{4}",
        r"\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT",
        r"\d\d[. ]\w{2,3}[. ]\d{4} - \d\d:\d\d",
    ),
)
