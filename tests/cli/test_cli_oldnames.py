"""`--compat`: scripts that import `cgi` run below every command, and without it are told what to do."""

import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from gatewayserving import gateway
from hiding import hiding
from serving import serve

from cgikit.cli import oldnames

OLD = f"""#!{sys.executable} -Wignore
import cgi, cgitb
cgitb.enable()
print("Content-Type: text/plain\\n")
print(cgi.FieldStorage().getvalue("name"), cgi.__name__)
"""
BROKEN = f"""#!{sys.executable}
raise ModuleNotFoundError("No module named 'cgi'")
"""
LATE = f"""#!{sys.executable}
print("Content-Type: KIND\\n", flush=True)
raise ModuleNotFoundError("No module named 'cgi'")
"""
SAID = r": Python 3\.13 removed the module cgi\. Start this server with --compat, or write"


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """A directory with an old script, for a warm interpreter and for a cold one, and a broken one."""
    root = tmp_path / "cgi-bin"
    root.mkdir()
    for name, source in {
        "cold.py": OLD,
        "warm.py": OLD.replace(" -Wignore", ""),
        "broken.py": BROKEN,
        "late.py": LATE.replace("KIND", "text/html"),
        "late-text.py": LATE.replace("KIND", "text/plain"),
        "late-image.py": LATE.replace("KIND", "image/png"),
        "late-cut.py": LATE.replace("KIND", r"text/html\nContent-Length: 5"),
    }.items():
        (root / name).write_text(source)
        (root / name).chmod(0o755)
    return root


def get(url: str) -> tuple[int, str]:
    """Ask once."""
    try:
        with urlopen(url, timeout=60) as response:
            return response.status, response.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


@pytest.mark.parametrize("warm", [[], ["--warm"]], ids=["spawn", "warm"])
def test_serve_runs_old_scripts(scripts: Path, tmp_path: Path, warm: list[str]) -> None:
    modern = {"PYTHONPATH": hiding(tmp_path / "modern")}
    with serve(scripts, "--compat", "--env", "PYTHONPATH", *warm, environment=modern) as server:
        for name in ("cold.py", "warm.py", "warm.py"):
            assert get(f"{server.url}{name}?name=Ada") == (200, "Ada cgikit.compat.cgi\n")
        server.stop()
        assert not [line for line in server.lines if "not preloaded" in line]


@pytest.mark.parametrize("protocol", ["fastcgi", "scgi"])
@pytest.mark.parametrize("spawn", [[], ["--spawn"]], ids=["warm", "spawn"])
def test_gateways_run_old_scripts(
    scripts: Path, tmp_path: Path, protocol: str, spawn: list[str]
) -> None:
    options = ["--workers", "1", "--compat", "--env", "PYTHONPATH", *spawn]
    modern = {"PYTHONPATH": hiding(tmp_path / "modern")}
    with gateway(protocol, scripts, *options, environment=modern) as server:
        for name in ("cold.py", "warm.py", "warm.py"):
            answer = server.request(f"/{name}", QUERY_STRING="name=Ada")
            assert answer.body.decode() == "Ada cgikit.compat.cgi\n", server.lines


def test_an_interpreter_with_its_own_keeps_it(scripts: Path, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    for name in ("cgi", "cgitb"):
        (tmp_path / "own" / f"{name}.py").write_text(
            "def enable(): pass\nclass FieldStorage:\n    def getvalue(self, name): return name\n"
        )
    own = {"PYTHONPATH": str(tmp_path / "own")}
    with serve(scripts, "--compat", "--env", "PYTHONPATH", environment=own) as server:
        assert get(f"{server.url}cold.py") == (200, "name cgi\n")


@pytest.mark.parametrize("warm", [[], ["--warm"]], ids=["spawn", "warm"])
def test_serve_says_what_to_do_without_it(scripts: Path, warm: list[str]) -> None:
    with serve(scripts, *warm) as server:
        status, page = get(f"{server.url}broken.py")
        assert status == 500
        assert "Start this server with --compat" in page
        assert f"cgikit vendor cgi {scripts}" in page
        server.wait_for(r"broken\.py: .* removed the module cgi\. Start this server with --compat")


@pytest.mark.parametrize("protocol", ["fastcgi", "scgi"])
def test_gateways_say_in_the_log_what_to_do_without_it(scripts: Path, protocol: str) -> None:
    with gateway(protocol, scripts, "--workers", "1") as server:
        answer = server.request("/broken.py")
        assert answer.status == 500
        assert b"--compat" not in answer.body  # which a visitor reads
        server.wait_for(r"broken\.py: .* removed the module cgi\. Start this server with --compat")


@pytest.mark.parametrize("warm", [[], ["--warm"]], ids=["spawn", "warm"])
def test_a_script_that_printed_its_header_first_gets_the_advice_too(
    scripts: Path, warm: list[str]
) -> None:
    """It got only "exited with status 1"."""
    with serve(scripts, *warm) as server:
        for name, end in (("late.py", "</section>"), ("late-text.py", "")):
            status, page = get(f"{server.url}{name}")
            assert status == 200
            assert f"{name} exited with status 1. Python 3.13 removed the module cgi. Start" in page
            assert page.rstrip().endswith(end)
        assert get(f"{server.url}late-image.py") == (200, "")
        for name in ("late.py", "late-text.py", "late-image.py"):
            server.wait_for(f"^/{name}{SAID}")
        status, page = get(f"{server.url}late-cut.py")
        assert status == 500
        assert "Start this server with --compat" in page
        assert len([line for line in server.lines if "late.py: Python 3.13" in line]) == 1


@pytest.mark.parametrize("protocol", ["fastcgi", "scgi"])
@pytest.mark.parametrize("spawn", [[], ["--spawn"]], ids=["warm", "spawn"])
def test_the_logs_of_gateways_have_the_advice_too(
    scripts: Path, protocol: str, spawn: list[str]
) -> None:
    with gateway(protocol, scripts, "--workers", "1", *spawn) as server:
        answer = server.request("/late.py")
        assert (answer.status, answer.body) == (200, b"")
        server.wait_for(f"late.py{SAID}")


def test_a_path_that_is_passed_on_stays() -> None:
    made = oldnames.on_path({"PYTHONPATH": "/x", "PATH": "/bin"})
    first, second = made["PYTHONPATH"].split(":")
    assert (second, made["PATH"]) == ("/x", "/bin")
    assert {path.name for path in Path(first).glob("*.py")} == {"cgi.py", "cgitb.py"}
    assert oldnames.on_path({})["PYTHONPATH"] == first


@pytest.mark.parametrize("warm", [[], ["--warm"]], ids=["spawn", "warm"])
def test_a_script_that_hides_the_modules_is_told_how(scripts: Path, warm: list[str]) -> None:
    (scripts / "broken.py").write_text(BROKEN.replace("\n", " -I\n", 1))
    with serve(scripts, "--compat", *warm) as server:
        assert "Take -I out of the first line" in get(f"{server.url}broken.py")[1]
        server.wait_for(r"broken\.py: .* Take -I out of the first line of the script")
