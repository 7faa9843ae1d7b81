"""git pushes as the user whom the web server has asked for a password: REMOTE_USER reaches it."""

from pathlib import Path

import pytest
from requirement import need
from servers.fixtures import readable_by_all
from servers.guarded import GUARDS
from servers.interpreter import Interpreter, server_user
from servers.printed import printed
from servers.rows import ROWS
from servers.server import Server

from .site import Site, attempt, make_site, run


def guarded_site(root: Path, interpreter: Interpreter) -> Site:
    """A repository that takes pushes of users with a name only: what git does unless told else."""
    site = make_site(root, interpreter, server_user())
    site.run("git", "init", "-q", "--bare", "-b", "main", "one.git")
    hook = site.keep("one.git/hooks/post-receive", '#!/bin/sh\necho "$REMOTE_USER" > who\n')
    hook.chmod(0o755)
    variables = {"GIT_PROJECT_ROOT": str(site.state), "GIT_HTTP_EXPORT_ALL": "1"}
    site.wrapper("git.cgi", "git http-backend", **variables)
    return site


def commit(place: Path) -> str:
    """Make a repository with one commit; return its hash."""
    run("git", "init", "-q", "-b", "main", place, cwd=place.parent, home=place.parent)
    make = ("git", "commit", "-q", "--allow-empty", "-m", "One")
    run(*make, cwd=place, home=place.parent)
    return run("git", "rev-parse", "HEAD", cwd=place, home=place.parent).strip()


def push(server: Server, credentials: str, work: Path) -> int:
    """Push, and return git's exit status."""
    url = server.url("git.cgi/one.git").replace("://", f"://{credentials}")
    return attempt("git", "push", "-q", url, "main", cwd=work, home=work.parent).returncode


@pytest.mark.parametrize(
    "name", ["apache-mod_cgid", "apache-mod_proxy_fcgi", "nginx-fastcgi", "lighttpd-fastcgi"]
)
def test_a_push_is_its_users(
    name: str, readable_directory: Path, script_interpreter: Interpreter, tmp_path: Path
) -> None:
    for program in ("git", *ROWS[name].needs):
        need(program)
    with readable_by_all():
        site = guarded_site(readable_directory / f"password-{name}", script_interpreter)
        place = site.root / "server"
        place.mkdir()
        started = printed(
            name, ROWS[name], place, site.scripts, script_interpreter, guard=GUARDS[name]
        )
        with started as server:
            head = commit(tmp_path / "work")
            assert push(server, "", tmp_path / "work") != 0
            assert push(server, "Aladdin:wrong@", tmp_path / "work") != 0
            assert push(server, "Aladdin:open%20sesame@", tmp_path / "work") == 0, (
                server.error_log()
            )
    assert site.run("git", "rev-parse", "main", cwd=site.state / "one.git").strip() == head
    assert (site.state / "one.git" / "who").read_text() == "Aladdin\n"
