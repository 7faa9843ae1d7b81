"""git http-backend, with the real git: clones, and pushes of 30 MB, chunked and not."""

import random
from pathlib import Path

from .site import Program, Site
from .visit import Visit

#: Bytes that cannot be compressed.
SIZE = 30_000_000


def install(site: Site) -> None:
    """A repository to read, two to push to, and what is pushed."""
    state = site.state
    site.run("git", "init", "-q", "-b", "main", "work")
    work = state / "work"
    site.keep("work/readme.txt", "Hello, Ada!\n")
    site.run("git", "add", ".", cwd=work)
    site.run("git", "commit", "-q", "-m", "One", cwd=work)
    site.keep("git")
    site.run("git", "clone", "-q", "--bare", "work", "git/read.git")
    site.run("git", "update-server-info", cwd=state / "git" / "read.git")
    for name in ("chunked", "length"):
        bare = state / "git" / f"{name}.git"
        site.run("git", "clone", "-q", "--bare", "work", bare)
        site.run("git", "config", "http.receivepack", "true", cwd=bare)
    site.keep("work/large", random.Random(1).randbytes(SIZE))
    site.run("git", "config", "core.compression", "0", cwd=work)
    site.run("git", "add", ".", cwd=work)
    site.run("git", "commit", "-q", "-m", "Large", cwd=work)
    site.wrapper(
        "git.cgi",
        "git http-backend",
        GIT_PROJECT_ROOT=str(state / "git"),
        GIT_HTTP_EXPORT_ALL="1",
        HOME=str(state),
    )


def visit(to: Visit) -> None:
    """The dumb protocol, a clone, two pushes, and what arrived."""
    to.ask("head", "git.cgi/read.git/HEAD", has="ref: refs/heads/main")
    to.ask("refs", "git.cgi/read.git/info/refs", has="refs/heads/main")
    to.ask("missing", "git.cgi/read.git/objects/00/11", status=404)
    to.ask("no repository", "git.cgi/none.git/HEAD", status=404)
    to.ask("smart refs", "git.cgi/read.git/info/refs?service=git-upload-pack")
    to.ask("no push", "git.cgi/read.git/info/refs?service=git-receive-pack", status=403)
    to.ask("head of refs", "git.cgi/read.git/info/refs", "--head")
    to.ask("wrong method", "git.cgi/read.git/git-upload-pack", status=405)
    url = to.server.url("git.cgi/")
    to.do("clone", "git", "clone", "-q", f"{url}read.git", "clone")
    whole = rev(to, "clone") == rev(to, to.site.state / "git" / "read.git")
    to.note("clone is whole", whole)
    work = to.directory / "work"
    to.do("copy", "cp", "-r", to.site.state / "work", work)
    head = rev(to, work)
    for name, buffer in (("chunked", 1 << 20), ("length", 64 << 20)):
        push = ("push", "-q", f"{url}{name}.git", "main")
        to.do(f"push {name}", "git", "-C", work, "-c", f"http.postBuffer={buffer}", *push)
        to.do(f"clone {name}", "git", "clone", "-q", f"{url}{name}.git", name)
        to.note(f"{name} is whole", rev(to, name) == head)
        to.do(f"{name} is sound", "git", "-C", to.directory / name, "fsck", "--full")


def rev(to: Visit, repository: str | Path) -> bytes:
    """The hash of the newest commit, or why there is none."""
    path = to.directory / repository
    return to.output("git", "-c", "safe.directory=*", "-C", path, "rev-parse", "HEAD")


PROGRAM = Program("git", ("git",), install, visit)
