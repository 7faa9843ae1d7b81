"""Mercurial's hgweb, as the script that comes with it has it, and the real hg: a clone, and a push."""

import random

from .site import Program, Site
from .visit import Visit

SIZE = 10_000_000

CONFIG = """[paths]
{name} = {path}
[web]
push_ssl = false
allow-push = *
contact = Ada
description = Tests
allow-archive = gz zip
"""

SCRIPT = """#!/usr/bin/env python3
config = b"{config}"
from mercurial import demandimport

demandimport.enable()
from mercurial.hgweb import hgweb, wsgicgi

application = hgweb(config)
wsgicgi.launch(application)
"""


def install(site: Site) -> None:
    """A repository of one revision, and a clone of it with a large one more."""
    state = site.state
    hg = ("hg", "--config", "ui.username=Ada")
    site.keep("hg")
    site.run(*hg, "init", "hg/repo")
    repo = state / "hg" / "repo"
    site.keep("hg/repo/readme.txt", "Hello, Ada!\n")
    site.run(*hg, "commit", "-A", "-q", "-m", "One <b>", "-d", "0 0", cwd=repo)
    site.run(*hg, "clone", "-q", "hg/repo", "hg/work")
    site.keep("hg/work/large", random.Random(2).randbytes(SIZE))
    site.run(*hg, "commit", "-A", "-q", "-m", "Large", "-d", "1 0", cwd=state / "hg" / "work")
    config = site.keep("hgweb.conf", CONFIG.format(name="repo", path=repo))
    site.script("hgweb.cgi", SCRIPT.format(config=config))


def visit(to: Visit) -> None:
    """Pages, downloads, and the two directions."""
    repo = "hgweb.cgi/repo"
    to.ask("list", "hgweb.cgi/", has="repo")
    to.ask("log", repo, has="One &lt;b&gt;")
    to.ask("head of the log", repo, "--head")
    to.ask("file", f"{repo}/file/tip/readme.txt", has="Hello, Ada!")
    to.ask("raw file", f"{repo}/raw-file/tip/readme.txt", has="Hello, Ada!")
    to.ask("search", f"{repo}/log?rev=keyword(%22One%22)&style=paper", has="One")
    to.ask("feed", f"{repo}/atom-log", has="One")
    to.ask("style", f"{repo}/static/style-paper.css", has="{")
    to.ask("missing", f"{repo}/file/tip/none", status=404)
    to.ask("no repository", "hgweb.cgi/none/", status=404)
    to.ask("archive", f"{repo}/archive/tip.tar.gz")
    to.ask("capabilities", f"{repo}?cmd=capabilities", has="unbundle")
    url = to.server.url(repo)
    to.do("clone", "hg", "clone", "-q", "--pull", url, "clone")
    to.note("clone is whole", tip(to, "clone") == tip(to, to.site.state / "hg" / "repo"))
    to.do("copy", "cp", "-r", to.site.state / "hg" / "work", "work")
    to.do("push", "hg", "-R", "work", "push", "-q", url)
    to.note("push is whole", tip(to, "work") == tip(to, to.site.state / "hg" / "repo"))
    to.do("clone again", "hg", "clone", "-q", "--pull", url, "again")
    to.do("again is sound", "hg", "-R", "again", "verify")
    to.note("again is whole", tip(to, "again") == tip(to, "work"))


def tip(to: Visit, repository: object) -> bytes:
    """The hash of the newest revision."""
    trust = ("--config", "trusted.users=*")
    return to.output(
        "hg", *trust, "-R", to.directory / str(repository), "id", "-i", "--debug", "-r", "tip"
    )


PROGRAM = Program(
    "hgweb",
    ("hg",),
    install,
    visit,
    hide=(r'class="age">([^<]+)<', r"<updated>([^<]+)<"),
)
