"""The class in the place of http.server.CGIHTTPRequestHandler: its names, and real requests to it."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.client import HTTPConnection, HTTPResponse
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
from hiding import hiding

from cgikit.compat.httpserver import CGIHTTPRequestHandler

SHOW = """#!{python}
import os, sys
body = sys.stdin.read(int(os.environ.get("CONTENT_LENGTH") or 0))
print("Content-Type: text/plain\\nX-Own: yes\\n")
print(os.environ["REQUEST_METHOD"], os.environ["SCRIPT_NAME"], os.environ["PATH_INFO"],
      os.environ["QUERY_STRING"], body, *sys.argv[1:], sep="|", end="")
print("to the log", file=sys.stderr)
"""


@contextmanager
def served(root: Path, kind: type[CGIHTTPRequestHandler] | None = None) -> Iterator["Site"]:
    """The handler below a real server."""
    site = Site()

    class Handler(kind or CGIHTTPRequestHandler):  # type: ignore[misc]
        def log_message(self, format: str, *arguments: object) -> None:
            site.log.append(format % arguments)

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(root)))
    site.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Site:
    """Where to ask, and what was logged."""

    def __init__(self) -> None:
        self.port = 0
        self.log: list[str] = []

    def ask(self, method: str, path: str, body: bytes | None = None) -> tuple[HTTPResponse, str]:
        """Ask once."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body)
            response = connection.getresponse()
            return response, response.read().decode()
        finally:
            connection.close()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A site: a page, and scripts."""
    (tmp_path / "index.html").write_text("a page")
    scripts = {
        "show.py": SHOW.format(python=sys.executable),
        "bad.sh": "#!/bin/sh\necho hello\n",
        "away.sh": "#!/bin/sh\nprintf 'Location: /cgi-bin/show.py/x?y=\\n\\n'\n",
        "page.sh": "#!/bin/sh\nprintf 'Location: /index.html\\n\\n'\n",
        "round.sh": "#!/bin/sh\nprintf 'Location: /cgi-bin/round.sh\\n\\n'\n",
        "status.sh": "#!/bin/sh\nprintf 'Status: 404 Gone away\\nContent-Type: text/plain\\n\\nno'\n",
    }
    (tmp_path / "cgi-bin").mkdir()
    for name, source in scripts.items():
        (tmp_path / "cgi-bin" / name).write_text(source)
        (tmp_path / "cgi-bin" / name).chmod(0o755)
    (tmp_path / "cgi-bin" / "off.py").write_text("")
    return tmp_path


def test_files_are_served_and_scripts_run(root: Path) -> None:
    with served(root) as site:
        assert site.ask("GET", "/index.html")[1] == "a page"
        response, text = site.ask("GET", "/cgi-bin/show.py/a%20b?x=1")
        assert (response.status, text) == (200, "GET|/cgi-bin/show.py|/a b|x=1|")
        assert response.headers["X-Own"] == "yes"
        assert site.ask("POST", "/cgi-bin/show.py", b"a=1")[1] == "POST|/cgi-bin/show.py|||a=1"
        assert site.ask("GET", "/cgi-bin/show.py?two+words")[1].endswith("|two|words")
        response, text = site.ask("HEAD", "/cgi-bin/show.py")
        assert (response.status, text) == (200, "")
    assert "/cgi-bin/show.py: to the log" in site.log


def test_a_status_is_the_answers_status(root: Path) -> None:
    with served(root) as site:
        response, text = site.ask("GET", "/cgi-bin/status.sh")
    assert (response.status, response.reason, text) == (404, "Gone away", "no")


@pytest.mark.parametrize(
    ("method", "path", "status", "logged"),
    [
        ("GET", "/cgi-bin/missing.py", 404, "Nothing is served"),
        ("GET", "/cgi-bin/off.py", 403, "chmod +x"),
        ("GET", "/cgi-bin/", 403, "not a script"),
        ("GET", "/cgi-bin/bad.sh", 500, "line 1: hello"),
        ("GET", "/cgi-bin/round.sh", 500, "local redirects"),
        ("GET", "/cgi-bin/../../x", 404, ""),
        ("POST", "/index.html", 501, ""),
    ],
)
def test_what_goes_wrong_has_a_status_and_a_line(
    root: Path, method: str, path: str, status: int, logged: str
) -> None:
    with served(root) as site:
        assert site.ask(method, path, b"" if method == "POST" else None)[0].status == status
    assert any(logged in line for line in site.log)


def test_local_redirects_are_followed(root: Path) -> None:
    with served(root) as site:
        assert site.ask("POST", "/cgi-bin/away.sh", b"a=1")[1] == "GET|/cgi-bin/show.py|/x|y=|"
        assert site.ask("GET", "/cgi-bin/page.sh")[1] == "a page"


def test_a_large_body_arrives_whole(root: Path) -> None:
    body = b"x" * 1_000_000
    with served(root) as site:
        assert len(site.ask("POST", "/cgi-bin/show.py", body)[1]) > len(body)


def test_a_body_has_a_limit(root: Path) -> None:
    class Small(CGIHTTPRequestHandler):
        most_body = 3

    with served(root, Small) as site:
        assert site.ask("POST", "/cgi-bin/show.py", b"abcd")[0].status == 413


def test_subclasses_choose_what_is_run(root: Path) -> None:
    class Elsewhere(CGIHTTPRequestHandler):
        cgi_directories = ("/bin",)

        def is_cgi(self) -> bool:
            if not self.path.startswith("/bin"):
                return False
            self.cgi_info = "/cgi-bin", self.path.removeprefix("/bin/")
            return True

    with served(root, Elsewhere) as site:
        assert site.ask("GET", "/bin/show.py?q")[1].startswith("GET|/cgi-bin/show.py||q|")
        assert "#!" in site.ask("GET", "/cgi-bin/show.py")[1]  # a file like all others


def test_the_root_may_be_a_directory_of_scripts(root: Path) -> None:
    class Top(CGIHTTPRequestHandler):
        cgi_directories = ("/",)

    with served(root / "cgi-bin", Top) as site:
        assert site.ask("GET", "/show.py/x?y=")[1] == "GET|/show.py|/x|y=|"


def test_the_environment_is_not_the_servers_own(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPEN", "1")
    monkeypatch.setenv("SECRET", "2")
    (root / "cgi-bin" / "env.sh").write_text(
        "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\necho $OPEN $SECRET\n"
    )
    (root / "cgi-bin" / "env.sh").chmod(0o755)

    class Passing(CGIHTTPRequestHandler):
        inherited_variables = ("OPEN",)

    with served(root, Passing) as site:
        assert site.ask("GET", "/cgi-bin/env.sh")[1] == "1\n"


def test_the_old_names_are_there() -> None:
    assert list(CGIHTTPRequestHandler.cgi_directories) == ["/cgi-bin", "/htbin"]
    assert CGIHTTPRequestHandler.have_fork
    for name in ("do_POST", "send_head", "is_cgi", "is_executable", "is_python", "run_cgi"):
        assert callable(getattr(CGIHTTPRequestHandler, name))
    handler = CGIHTTPRequestHandler.__new__(CGIHTTPRequestHandler)
    assert handler.is_python("x.PY")
    assert not handler.is_executable("/nowhere")


OLD = f"""#!{sys.executable}
import cgi
print("Content-Type: text/plain\\n")
print(cgi.FieldStorage().getvalue("name"), cgi.__name__)
"""
BROKEN = f"""#!{sys.executable}
raise ModuleNotFoundError("No module named 'cgi'")
"""


def test_old_scripts_run_with_compat(root: Path, tmp_path: Path) -> None:
    modern = hiding(tmp_path / "modern")
    (root / "cgi-bin" / "old.py").write_text(OLD)
    (root / "cgi-bin" / "old.py").chmod(0o755)

    class Compat(CGIHTTPRequestHandler):
        compat = True
        inherited_variables = ("PYTHONPATH",)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", modern)
        with served(root, Compat) as site:
            text = site.ask("GET", "/cgi-bin/old.py?name=Ada")[1]
    assert text == "Ada cgikit.compat.cgi\n"


def test_the_log_says_what_old_scripts_need(root: Path) -> None:
    (root / "cgi-bin" / "old.py").write_text(BROKEN)
    (root / "cgi-bin" / "old.py").chmod(0o755)
    with served(root) as site:
        response, page = site.ask("GET", "/cgi-bin/old.py")
    assert response.status == 500
    assert any(
        "removed the module cgi. Give the handler's class compat = True, or write a " in line
        for line in site.log
    )
    assert "compat" not in page


def test_the_log_says_it_too_when_the_header_was_printed_first(root: Path) -> None:
    header = "print('Content-Type: text/plain\\n', flush=True)\nraise"
    (root / "cgi-bin" / "late.py").write_text(BROKEN.replace("raise", header))
    (root / "cgi-bin" / "late.py").chmod(0o755)
    with served(root) as site:
        response, page = site.ask("GET", "/cgi-bin/late.py")
    assert (response.status, page) == (200, "")
    assert any(
        "/cgi-bin/late.py: exited with status 1. Python 3.13 removed the module cgi. Give" in line
        for line in site.log
    )


def test_a_page_ends_in_one_full_stop(root: Path) -> None:
    with served(root) as site:
        page = site.ask("GET", "/cgi-bin/bad.sh")[1]
    assert "The server's log says why." in page
    assert ".." not in page
