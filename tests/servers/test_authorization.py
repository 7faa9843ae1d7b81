"""Which servers pass the credentials of a request to scripts, and what makes the others do so.

docs/reference/authorization.md has the same table. A server that asks for the password itself is
another matter: see `guarded`.
"""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from .curl import Answer, curl
from .fixtures import SERVERS, copy_scripts, fresh, name_interpreter, readable_by_all
from .interpreter import Interpreter, server_user
from .printed import printed
from .rows import ROWS
from .serve import cgikit_serve
from .server import Server

#: Those that pass Authorization to every script.
PASSING = {"nginx-fcgiwrap", "lighttpd-cgi"}
#: Those that cannot be told to.
NEVER = {"busybox-httpd", "mini-httpd", "python-cgihttprequesthandler"}
#: http.server sends its own 200 before the script has answered.
STATUS = {"python-cgihttprequesthandler": 200}
OPTION = ("--pass", "HTTP_AUTHORIZATION")


def pass_auth(configuration: str) -> str:
    """Add Apache's directive to what it says of the scripts' directory, or of their URL."""
    begins = r"^( *)(Options \+ExecCGI|LimitRequestBody .*)$"
    changed, count = re.subn(
        begins, r"\1\2\n\1CGIPassAuth On", configuration, count=1, flags=re.MULTILINE
    )
    assert count == 1
    return changed


def log_in(server: Server, credentials: str) -> Answer:
    """Ask for the page of members."""
    return curl(server.url("basic.py"), "--user", credentials)


def test_a_script_asks_for_a_password(server: Server) -> None:
    answer = curl(server.url("basic.py"))
    assert answer.status == STATUS.get(server.name, 401), server.error_log()
    if server.name in STATUS:
        assert "\nStatus: 401 Unauthorized\n" in answer.raw.decode()
    challenge = r'Basic realm="\"Members\" only", charset="UTF-8"'
    assert answer.header("WWW-Authenticate") == challenge
    assert "Please ask for a password." in answer.text


def test_who_passes_credentials_unasked(server: Server) -> None:
    answer = log_in(server, "jürgen:pass:wörd €")
    assert ("Hello, jürgen!" in answer.text) == (server.name in PASSING), server.error_log()


TOLD = sorted(set(SERVERS) - PASSING - NEVER)


@pytest.fixture(scope="module", params=TOLD)
def told(
    request: pytest.FixtureRequest, readable_directory: Path, script_interpreter: Interpreter
) -> Iterator[Server]:
    """Each of the others in turn, told to pass them."""
    name = request.param
    with contextlib.ExitStack() as stack:
        with readable_by_all():
            root = fresh(readable_directory, f"told-{name}")
            if name.startswith("cgikit-serve"):
                warm = ("--warm",) if name.endswith("warm") else ()
                scripts = copy_scripts(root, user=None)
                started = cgikit_serve(root, scripts, *OPTION, *warm)
            else:
                scripts = copy_scripts(root, user=server_user())
                row = ROWS[name]
                if row.named_interpreter:
                    name_interpreter(scripts, script_interpreter)
                is_cgi = name.startswith("apache-mod_cgi")
                started = printed(
                    name,
                    row,
                    root,
                    scripts,
                    script_interpreter,
                    options=() if is_cgi else OPTION,
                    change=pass_auth if name.startswith("apache") else None,
                )
            running = stack.enter_context(started)
        yield running


def test_who_passes_them_when_told(told: Server) -> None:
    answer = log_in(told, "jürgen:pass:wörd €")
    assert answer.status == 200, told.error_log()
    assert "Hello, jürgen!" in answer.text
    assert log_in(told, "jürgen:wrong").status == 401
