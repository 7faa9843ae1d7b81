"""gitweb, git's own pages in Perl."""

from .site import Program, Site
from .visit import Visit

SCRIPT = "/usr/share/gitweb/gitweb.cgi"

CONFIG = """$projectroot = "{root}";
$site_name = "Tests";
@stylesheets = ("/static/gitweb.css");
$feature{{'snapshot'}}{{'default'}} = ['tgz'];
$feature{{'blame'}}{{'default'}} = [1];
1;
"""


def install(site: Site) -> None:
    """A repository with a name and a text that are not ASCII."""
    site.keep("gitweb")
    site.run("git", "init", "-q", "-b", "main", "gitweb-work")
    site.keep("gitweb-work/grüße.txt", "Grüße, Ada!\n")
    work = site.state / "gitweb-work"
    site.run("git", "add", ".", cwd=work)
    site.run("git", "commit", "-q", "-m", "Grüße <b>", cwd=work)
    site.run("git", "clone", "-q", "--bare", "gitweb-work", "gitweb/read.git")
    config = site.keep("gitweb.conf", CONFIG.format(root=site.state / "gitweb"))
    site.wrapper("gitweb.cgi", SCRIPT, GITWEB_CONFIG=str(config))


def visit(to: Visit) -> None:
    """Pages by query and by path, a snapshot, and what is not there."""
    page = "gitweb.cgi"
    to.ask("projects", page, has="read.git")
    to.ask("summary", f"{page}?p=read.git;a=summary", has="Grüße &lt;b&gt;")
    to.ask("head", f"{page}?p=read.git;a=summary", "--head")
    to.ask("log", f"{page}/read.git/log", has="Grüße &lt;b&gt;")
    to.ask("tree", f"{page}/read.git/tree", has="grüße.txt")
    to.ask("blob", f"{page}/read.git/blob/HEAD:/gr%C3%BC%C3%9Fe.txt", has="Ada!")
    to.ask("plain", f"{page}?p=read.git;a=blob_plain;f=gr%C3%BC%C3%9Fe.txt;hb=HEAD", has="Ada!")
    to.ask("blame", f"{page}/read.git/blame/HEAD:/gr%C3%BC%C3%9Fe.txt", has="Ada!")
    to.ask("search", f"{page}?p=read.git;a=search;st=commit;s=Gr%C3%BC%C3%9Fe", has="Grüße")
    to.ask("feed", f"{page}/read.git/rss", has="<rss")
    to.ask("opml", f"{page}?a=opml", has="opml")
    to.ask("snapshot", f"{page}/read.git/snapshot/HEAD.tar.gz")
    to.ask("no repository", f"{page}?p=none.git", status=404)
    to.ask("no file", f"{page}/read.git/blob/HEAD:/none", status=404)
    to.ask("bad action", f"{page}?p=read.git;a=none", status=400)


PROGRAM = Program(
    "gitweb",
    ("git", "perl", SCRIPT),
    install,
    visit,
    hide=(r"<i>([^<]* ago|right now)</i>",),
)
