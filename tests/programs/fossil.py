"""Fossil, as a CGI script of two lines: pages, a login, and the real fossil's clone and push."""

import random

from .site import Program, Site
from .visit import Visit

SIZE = 5_000_000


def install(site: Site) -> None:
    """A repository with one file, a user with a password, and a check-in that is not there yet."""
    fossil = site.keep("fossil")
    site.run("fossil", "new", "-A", "ada", "site.fossil", cwd=fossil)
    site.run("fossil", "user", "password", "ada", "secret", "-R", "site.fossil", cwd=fossil)
    site.keep("fossil/tree")
    tree = fossil / "tree"
    site.run("fossil", "open", "../site.fossil", "--user", "ada", cwd=tree)
    site.keep("fossil/tree/readme.txt", "Hello, Ada!\n")
    site.run("fossil", "add", "readme.txt", cwd=tree)
    site.run(
        "fossil", "commit", "-m", "One <b>", "--user-override", "ada", "--no-warnings", cwd=tree
    )
    site.run("fossil", "close", cwd=tree)
    site.keep("fossil/large", random.Random(3).randbytes(SIZE))
    site.script("fossil.cgi", f"#!/usr/bin/fossil\nrepository: {fossil}/site.fossil\n")


def visit(to: Visit) -> None:
    """Pages, what a login opens, and the two directions."""
    to.ask("top", "fossil.cgi", status=302)
    to.ask("index", "fossil.cgi/index")
    to.ask("timeline", "fossil.cgi/timeline?y=ci", has="One &lt;b&gt;")
    to.ask("head", "fossil.cgi/timeline", "--head")
    to.ask("file", "fossil.cgi/doc/trunk/readme.txt", has="Hello, Ada!")
    to.ask("raw", "fossil.cgi/raw?ci=trunk&filename=readme.txt", has="Hello, Ada!")
    to.ask("style", "fossil.cgi/style.css", has="{")
    to.ask("archive", "fossil.cgi/tarball/trunk/t.tar.gz")
    to.ask("missing", "fossil.cgi/none", status=404)
    to.ask("closed", "fossil.cgi/setup", status=302)
    to.ask("wrong password", "fossil.cgi/login", "--data", "u=ada&p=wrong&in=Login", status=401)
    jar = ("--cookie", str(to.directory / "jar"), "--cookie-jar", str(to.directory / "jar"))
    to.ask(
        "login",
        "fossil.cgi/login?g=timeline",
        *jar,
        "--data",
        "u=ada&p=secret&in=Login",
        status=302,
    )
    to.ask("setup", "fossil.cgi/setup", *jar, has="Server Administration")
    url = to.server.url("fossil.cgi")
    to.do("clone", "fossil", "clone", "--no-open", url.replace("://", "://ada:secret@"), "c.fossil")
    to.do("tree", "mkdir", "tree")
    to.do("open", "fossil", "open", "c.fossil", "--nosync", "--workdir", "tree")
    to.do("large", "cp", to.site.state / "fossil" / "large", "tree/large")
    to.do("add", "fossil", "add", "--chdir", "tree", "large")
    commit = (
        "commit",
        "--nosync",
        "-m",
        "Large",
        "--no-warnings",
        "--date-override",
        "2124-02-03 04:05:06",
    )
    to.do("commit", "fossil", *commit, "--chdir", "tree")
    to.do(
        "push", "fossil", "push", "--once", "-R", "c.fossil", url.replace("://", "://ada:secret@")
    )
    to.do("clone again", "fossil", "clone", "--no-open", url, "again.fossil")
    came = to.output("fossil", "cat", "-R", "again.fossil", "-r", "trunk", "large")
    to.note("push is whole", came == (to.site.state / "fossil" / "large").read_bytes())


PROGRAM = Program(
    "fossil",
    ("fossil",),
    install,
    visit,
    hide=(
        r"""nonce[-='"]+([0-9a-f]{48})""",
        r"fossil-[0-9a-f]+=([0-9A-F]{50})",
        r"captcha-audio/([0-9]+)",
        r'(?s)<div class="captcha">.*?</div>',
        r'name="cs" value="([0-9]+)"',
        r"generated in about\s+([0-9.]+)s",
    ),
)
