"""Saved tests: they pass at once, and never overwrite anything. A real server, a real pytest."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from inspecting import Looker, inspected
from serving import serve

from cgikit.host.problem import Problem
from cgikit.inspector.saving import save

FORM = "application/x-www-form-urlencoded"
ECHO = """\
#!/usr/bin/env python3
from cgikit import Response, run

def show(request):
    said = [*request.query.pairs(), *request.form.pairs(), *request.files.pairs()]
    page = Response.text(f"{request.method} {request.path_info} {said}")
    if request.path_info == "/away":
        return Response.redirect("/elsewhere")
    page.status = 404 if request.path_info == "/gone" else 200
    return page

run(show)
"""
SCRIPTS = {
    "echo.py": ECHO,
    "crash.py": "#!/usr/bin/env python3\nprint('no header')\n",
    "late.sh": "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\nx'; exit 3\n",
    "raw.sh": "#!/bin/sh\nprintf 'Content-Type: text/x-raw\\n\\n'; cat\n",
    "host.sh": "#!/bin/sh\nprintf 'Content-Type: text/plain; host=%s\\n\\n' $HTTP_HOST\n",
    "long.sh": "#!/bin/sh\nprintf 'Content-Type: text/plain\\nContent-Length: 2\\n\\nabcde'\n",
    "short.sh": "#!/bin/sh\nprintf 'Content-Type: text/plain\\nContent-Length: 9\\n\\nabcde'\n",
    "count.sh": "#!/bin/sh\nprintf x >>data\nprintf 'Content-Type: text/plain\\n\\n'\n",
    "local.sh": "#!/bin/sh\nprintf 'Location: /raw.sh?a=b\\n\\n'\n",
}
PARTS = (
    b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    b'--b\r\nContent-Disposition: form-data; name="f"; filename="x.bin"\r\n'
    b"Content-Type: application/x-y\r\n\r\n\x00\xff\r\n--b--\r\n"
)
REQUESTS = {
    "a page": ("GET", "/echo.py/a%20b/%C3%A9?name=Ada&q=%26", None, ""),
    "a form": ("POST", "/echo.py?x=1", b"a=1&a=2&b=%C3%A9", FORM),
    "another form": ("POST", "/echo.py", b"a=%61&&b", FORM),
    "files": ("POST", "/echo.py", PARTS, "multipart/form-data; boundary=b"),
    "bytes": ("PUT", "/raw.sh", bytes(range(256)), "application/x-any"),
    "head": ("HEAD", "/echo.py", None, ""),
    "not found": ("GET", "/echo.py/gone", None, ""),
    "a redirect": ("GET", "/echo.py/away", None, ""),
    "a local redirect": ("GET", "/local.sh", None, ""),
    "a crash": ("GET", "/crash.py", None, ""),
    "a page that knows its host": ("GET", "/host.sh", None, ""),
    "more than announced": ("GET", "/long.sh", None, ""),
    "a script that writes": ("GET", "/count.sh", None, ""),
    "a late failure": ("GET", "/late.sh", None, ""),
}


def pytest_of(directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(directory)],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=directory,
    )


@pytest.fixture
def looker(tmp_path: Path) -> Iterator[Looker]:
    where = tmp_path / "cgi"
    where.mkdir()
    for name, text in SCRIPTS.items():
        (where / name).write_text(text)
        (where / name).chmod(0o755)
    with serve(where) as server:
        yield Looker(server)


def test_every_saved_test_passes_at_once(looker: Looker, tmp_path: Path) -> None:
    for method, path, body, kind in REQUESTS.values():
        headers = {"content_type": kind} if kind else {}
        looker.ask(path, method, body, accept="text/html", x_requested_with="curl", **headers)
        reply = looker.press(f"/_cgikit/{looker.latest()}/save")
        assert reply.status == 200
        assert f"Saved as {tmp_path}/cgi/tests/test_" in reply.text
    directory = tmp_path / "cgi" / "tests"
    assert len(list(directory.iterdir())) == len(REQUESTS)
    done = pytest_of(directory)
    assert f"{len(REQUESTS)} passed" in done.stdout, done.stdout


def test_a_saved_test_leaves_the_data_of_the_script_alone(looker: Looker, tmp_path: Path) -> None:
    looker.ask("/count.sh")
    looker.press(f"/_cgikit/{looker.latest()}/save")
    assert pytest_of(tmp_path / "cgi" / "tests").returncode == 0
    assert (tmp_path / "cgi" / "data").read_text() == "x"


def test_a_saved_test_fails_if_the_script_changes(looker: Looker, tmp_path: Path) -> None:
    looker.ask("/echo.py")
    looker.press(f"/_cgikit/{looker.latest()}/save")
    script = tmp_path / "cgi" / "echo.py"
    script.write_text(ECHO.replace("else 200", "else 410"))
    assert "1 failed" in pytest_of(tmp_path / "cgi" / "tests").stdout


def script(tmp_path: Path) -> Path:
    path = tmp_path / "x.py"
    path.touch(0o755)
    return path


def test_nothing_is_ever_overwritten(tmp_path: Path) -> None:
    exchange = inspected(file=str(script(tmp_path)))
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_x_get.py").write_text("mine")
    (tmp_path / "tests" / "test_x_get_2.py").symlink_to(tmp_path / "nothing")
    assert save(exchange, str(tmp_path)) == f"{tmp_path}/tests/test_x_get_3.py"
    assert (tmp_path / "tests" / "test_x_get.py").read_text() == "mine"
    assert not (tmp_path / "nothing").exists()


def test_a_link_in_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    exchange = inspected(file=str(script(tmp_path)))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "tests").symlink_to("elsewhere")
    with pytest.raises(Problem, match="cannot be written"):
        save(exchange, str(tmp_path))
    assert os.listdir(tmp_path / "elsewhere") == []


def test_only_beside_scripts_that_are_served(tmp_path: Path) -> None:
    exchange = inspected(file=str(script(tmp_path)))
    (tmp_path / "served").mkdir()
    with pytest.raises(Problem, match="not in the directory"):
        save(exchange, str(tmp_path / "served"))
    assert save(exchange, str(tmp_path / "x.py")).endswith("/tests/test_x_get.py")
    exchange.runs.clear()
    with pytest.raises(Problem, match="nothing to test"):
        save(exchange, str(tmp_path))


def test_there_is_an_end_to_the_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cgikit.inspector.saving._TRIES", 2)
    exchange = inspected(file=str(script(tmp_path)))
    for _ in range(2):
        save(exchange, str(tmp_path))
    with pytest.raises(Problem, match="2 tests of this name"):
        save(exchange, str(tmp_path))
