"""Trac, a wiki and issue tracker in Python: pages, cookies and form tokens, a ticket, an attachment."""

from .site import Program, Site
from .visit import Visit

SCRIPT = """#!/usr/bin/env python3
import os
import sys

sys.stdin = sys.stdin.buffer  # Trac 1.6 reads forms from it, and would get text
os.environ["TRAC_ENV"] = "{environment}"
from trac.web import cgi_frontend

cgi_frontend.run()
"""


def install(site: Site) -> None:
    """An environment where everyone may do everything."""
    admin = site.interpreter.directory / "bin" / "trac-admin"
    environment = site.state / "trac"
    site.run(admin, environment, "initenv", "Tests", "sqlite:db/trac.db")
    site.run(admin, environment, "permission", "add", "anonymous", "TRAC_ADMIN")
    site.script("trac.cgi", SCRIPT.format(environment=environment))


def visit(to: Visit) -> None:
    """Pages, a wiki page written and read, a ticket, an upload and what is not there."""
    page = "trac.cgi"
    jar = ("--cookie", str(to.directory / "jar"), "--cookie-jar", str(to.directory / "jar"))
    to.ask("start", page, *jar, has="Welcome to Trac")
    to.ask("head", f"{page}/wiki", "--head")
    to.ask("style", f"{page}/chrome/common/css/trac.css", has="{")
    to.ask("missing", f"{page}/none", status=404)
    to.ask("no token", f"{page}/newticket", "--data", "field_summary=x", status=400)
    token = to.cookie("trac_form_token")
    wiki = f"__FORM_TOKEN={token}&action=edit&version=0&text=Gr%C3%BC%C3%9Fe&save=1"
    to.ask("write", f"{page}/wiki/Neu", *jar, "--data", wiki, status=303)
    to.ask("read", f"{page}/wiki/Neu", *jar, has="Grüße")
    to.ask("text", f"{page}/wiki/Neu?format=txt", *jar, has="Grüße")
    ticket = f"__FORM_TOKEN={token}&field_summary=Gr%C3%BC%C3%9Fe+%3Cb%3E&submit=1"
    to.ask("new ticket", f"{page}/newticket", *jar, "--data", ticket, status=303)
    to.ask("ticket", f"{page}/ticket/1", *jar, has="Grüße &lt;b&gt;")
    to.ask("csv", f"{page}/ticket/1?format=csv", *jar, has="Grüße <b>")
    parts = (
        "action=new",
        "realm=wiki",
        "id=Neu",
        f"__FORM_TOKEN={token}",
        "attachment=@-;filename=a b.txt",
    )
    options = [word for part in parts for word in ("--form", part)]
    to.ask(
        "attach",
        f"{page}/attachment/wiki/Neu/",
        *jar,
        *options,
        stdin=b"Ada\n" * 50_000,
        status=303,
    )
    to.ask("attachment", f"{page}/raw-attachment/wiki/Neu/a%20b.txt", *jar, has="Ada\nAda\n")


PROGRAM = Program(
    "trac",
    (),
    install,
    visit,
    hide=(
        r"trac_(?:form_token|session)=([0-9a-f]{24})",
        r"\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT",
        r'"__FORM_TOKEN" value="([0-9a-f]{24})"',
        r'_token ?[:=] ?"([0-9a-f]{24})"',
        r"from=([0-9T%:A-Z-]+)",
        r"\d+ (?:second|minute)s?",
        r"\d\d/\d\d/\d\d \d\d:\d\d:\d\d",
        r'time"?:"?([-0-9T:]+Z)',
        r'value="(\d{16})"',
    ),
)
