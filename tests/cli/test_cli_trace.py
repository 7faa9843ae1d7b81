"""`cgikit trace`: text, JSON, the request, and what cannot be traced."""

import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from serving import alive, until

from cgikit.cli import main

ECHO = """
import os, sys
print("Content-Type: text/plain\\n")
print(os.environ["REQUEST_METHOD"], os.environ["QUERY_STRING"], sys.stdin.read(), file=sys.stderr)
"""


@pytest.fixture
def script(tmp_path: Path) -> str:
    file = tmp_path / "a.py"
    file.write_text(f"#!{sys.executable}\n{ECHO}")
    file.chmod(0o755)
    return str(file)


def test_a_tree_and_a_verdict(script: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", "--no-compare", script, "name=Ada"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{script}: exit status 0, 26 bytes\n")
    for name in ("fork", "exec", "interpreter", "site", "script", "first byte", "exit", "whole"):
        assert f"\n{name} " in out
    assert "ms pass before the script is read" in out
    assert "stderr: GET name=Ada \n" in out


def test_the_request_is_written_as_for_the_script_itself(
    script: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["trace", script, "post", "/x", "-b", "hello"]) == 0
    assert "stderr: POST  hello\n" in capsys.readouterr().out


def test_the_environment_is_that_of_a_server_with_the_variables_of_the_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("A_SECRET", "1")
    monkeypatch.setenv("REMOTE_USER", "ada")
    file = tmp_path / "a.sh"
    file.write_text("#!/bin/sh\necho $PATH $REMOTE_USER ${A_SECRET-none} >&2\n")
    file.chmod(0o755)
    assert main(["trace", str(file)]) == 0
    said = capsys.readouterr().out.partition("stderr: ")[2]
    assert said.startswith(f"{Path(sys.executable).parent}:")
    assert said.endswith(" ada none\n")


def test_warm_and_persistent_stand_beside_it_and_more_runs_are_announced(
    tmp_path: Path, script: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(script).write_text(
        f"#!{sys.executable}\nfrom cgikit import run\nrun(lambda request: 'x')\n"
    )
    page, picture = tmp_path / "a.html", tmp_path / "a.svg"
    assert main(["trace", "--html", str(page), "--svg", str(picture), script]) == 0
    out, err = capsys.readouterr()
    for name in ("CGI", "warm", "persistent"):
        assert f"\n{name}, median of 5 " in out
        assert f"{name}, median of 5:" in page.read_text()
        assert f"{name}, median of 5:" in picture.read_text()
    assert "(differences of medians of 5 requests)" in out
    assert f"cgikit trace: {script} runs up to 18 times more" in err
    assert main(["trace", "--json", script]) == 0
    events = json.loads(capsys.readouterr().out)["traceEvents"]
    assert [event["args"]["name"] for event in events if event["ph"] == "M"] == [
        script,
        "CGI, not asked",
        "warm, not asked",
        "persistent, not asked",
    ]


def test_what_a_script_is_told_for_all_requests_is_there_in_every_way(
    tmp_path: Path, script: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CGIKIT_WORKERS", "3")
    monkeypatch.setenv("CGIKIT_OWN", "1")
    note = f"open({str(tmp_path / 'seen')!r}, 'a').write(f'{{n(0)}} {{n(1)}} {{n(2)}}\\n')"
    names = '["CGIKIT_OWN", "CGIKIT_WORKERS", "HTTP_X_A"]'
    code = f"""#!{sys.executable}
import os
from cgikit import run
def n(number):
    return os.environ.get({names}[number])
{note}
run(lambda request: 'x')
"""
    Path(script).write_text(code)
    assert main(["trace", script, "get", "/", "-H", "X-A: a=1"]) == 0
    seen = (tmp_path / "seen").read_text().splitlines()
    assert seen == ["1 None a=1"] * (1 + 5 + 7) + [
        "1 None None"
    ]  # persistent: one for all requests


def test_several_runs_have_a_spread(script: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", "--no-compare", "-n", "5", script]) == 0
    out = capsys.readouterr().out
    assert out.startswith(
        f"{script}: exit status 0, 26 bytes; the run with the median time, of 5\n"
    )
    assert "of 5, in ms" in out
    assert "sking the interpreter took" not in out
    assert main(["trace", "-n", "5", script]) == 0
    assert "sking the interpreter took" in capsys.readouterr().out


@pytest.mark.parametrize("option", ["--html", "--html=t.html", "--json", "--no-compare"])
def test_an_option_behind_the_script_is_not_made_a_part_of_the_request(
    script: str, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    assert main(["trace", script, "name=Ada", option, "t.html"]) == 2
    assert f"{option} is an option of trace: write it before {script}" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("command", [["trace", "--no-compare"], ["check"]])
def test_what_ends_the_command_ends_the_script(
    tmp_path: Path, number: int, command: list[str]
) -> None:
    """An endless loop, which one traces and interrupts, ran on for ever."""
    file = tmp_path / "loop.py"
    pids = tmp_path / "pids"
    file.write_text(
        f"#!{sys.executable}\nimport os\nopen({str(pids)!r}, 'a').write(f'{{os.getpid()}}\\n')\n"
        "while True: pass\n"
    )
    file.chmod(0o755)
    words = [sys.executable, "-m", "cgikit", *command, str(file)]
    if os.geteuid() == 0 and command == ["check"]:
        words[4:4] = ["--user", "root"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert until(lambda: pids.exists() and pids.read_text().endswith("\n"))
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert b"Traceback" not in errors
    for pid in pids.read_text().split():
        assert until(lambda pid=pid: not alive(int(pid)))


def test_the_dearest_imports_and_colours_on_request(
    script: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(script).write_text(f"#!{sys.executable}\nimport decimal\nprint()\n")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    assert main(["trace", "--no-compare", "--imports", script]) == 0
    out = capsys.readouterr().out
    assert "by itself    in all" in out
    assert "\x1b" not in out
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert main(["trace", "--no-compare", script]) == 0
    out = capsys.readouterr().out
    assert "by itself" not in out
    assert "\x1b[32mexit status 0\x1b[0m" in out
    assert "\x1b[36m" in out  # an import


def test_json_has_trace_events(script: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", "--no-compare", "--json", script]) == 0
    events = json.loads(capsys.readouterr().out)["traceEvents"]
    names = [event["name"] for event in events if event["ph"] == "X"]
    for word in ("fork", "exec", "interpreter", "script", "first byte", "exit"):
        assert any(word in name for name in names)


def test_a_page_and_a_picture_are_written(
    script: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page, picture = tmp_path / "a.html", tmp_path / "a.svg"
    words = ["trace", "--html", str(page), "--svg", str(picture), script, "name=Ada"]
    assert main(words) == 0
    assert "first byte" in capsys.readouterr().out
    assert "name=Ada" in page.read_text(encoding="utf-8")
    assert picture.read_text(encoding="utf-8").startswith("<svg xmlns=")


def test_a_page_that_cannot_be_written(
    script: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["trace", "--no-compare", "--html", str(tmp_path / "no" / "a.html"), script]) == 1
    assert "a.html: No such file or directory" in capsys.readouterr().err


def test_the_script_is_not_overwritten(script: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = Path(script).read_bytes()
    assert main(["trace", "--no-compare", "--svg", script, script]) == 1
    assert "this is the script; name another file" in capsys.readouterr().err
    assert Path(script).read_bytes() == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("first", ["loop", "persistent"])
def test_what_ends_the_command_leaves_no_directories(
    tmp_path: Path, number: int, first: str
) -> None:
    """Of the first run, and of the servers that are compared."""
    file, seen = tmp_path / "a.py", tmp_path / "seen"
    loops = "True" if first == "loop" else "'REQUEST_METHOD' not in os.environ"
    file.write_text(
        f"#!{sys.executable}\nimport os\nfrom cgikit import run\nwhile {loops}:\n"
        f"    open({str(seen)!r}, 'w').close()\nrun(lambda request: 'x')\n"
    )
    file.chmod(0o755)
    tmp_path.chmod(0o755)
    tmp_path.chmod(0o777)
    words = [sys.executable, "-m", "cgikit", "trace", "--compare", str(file)]
    if os.geteuid() == 0:
        words[4:4] = ["--user", "root"]
    with TemporaryDirectory(prefix="t-") as temporary:  # short: the path of a socket begins with it
        os.chmod(temporary, 0o777)
        environment = {**os.environ, "TMPDIR": temporary}
        with subprocess.Popen(
            words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            assert until(lambda: seen.exists() or process.poll() is not None)
            assert os.listdir(temporary)  # or this test shows nothing
            process.send_signal(number)
            while number != signal.SIGINT and process.poll() is None:
                process.send_signal(number)  # the first one is being obeyed
            process.communicate(timeout=60)
        # When all is cleared up, signals end the process as usual
        assert process.returncode in (128 + number, -number)
        assert os.listdir(temporary) == []


def test_a_script_that_removes_itself(script: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Its trace was lost: only "No such file or directory" was said."""
    with open(script, "a") as stream:
        stream.write("os.unlink(sys.argv[0])\n")
    assert main(["trace", script]) == 0
    out, err = capsys.readouterr()
    assert out.startswith(f"{script}: exit status 0, 26 bytes\n")
    why = "after its first run the script cannot be found: No such file or directory"
    assert f"Not measured warm or persistent: {why}." in out
    assert f"{script} was changed or removed while it was measured" in err
    assert "runs up to" not in err
    with open(script, "w") as stream:
        stream.write(f"#!{sys.executable}\nimport os, sys\nos.unlink(sys.argv[0])\n")
    os.chmod(script, 0o755)
    assert main(["trace", "-n", "2", script]) == 1
    assert "cannot be started: No such file or directory" in capsys.readouterr().err


def test_a_script_that_is_replaced_meanwhile(
    script: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["trace", "--no-compare", script]) == 0
    assert "was changed" not in capsys.readouterr().err
    with open(script, "a") as stream:
        stream.write("os.rename(sys.argv[0] + '.new', sys.argv[0])\n")
    with open(f"{script}.new", "w") as stream:
        stream.write("#!/bin/sh\n")
    os.chmod(f"{script}.new", 0o755)
    assert main(["trace", "--no-compare", script]) == 0
    assert f"{script} was changed or removed while it was measured" in capsys.readouterr().err


def test_a_directory_that_the_user_cannot_enter(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    file = closed / "a.sh"
    file.write_text("#!/bin/sh\necho\n")
    file.chmod(0o755)
    closed.chmod(0o600)
    try:
        words = ["--user", "nobody"] if os.geteuid() == 0 else []
        assert main(["trace", *words, str(file)]) == 1
        err = capsys.readouterr().err
        if os.geteuid():
            assert err == f"cgikit trace: {file}: Permission denied\n"
        else:  # a directory above may be closed to nobody, too
            assert f"{file}: nobody, who runs it, cannot enter the directory /" in err
    finally:
        closed.chmod(0o700)


def test_root_runs_it_as_the_user_that_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.sh"
    file.write_text("#!/bin/sh\nid -un >&2\n")
    file.chmod(0o755)
    if os.geteuid():
        assert main(["trace", "--user", "root", str(file)]) == 2
        assert "only root can run a script as another user" in capsys.readouterr().err
        return
    with tempfile.TemporaryDirectory(dir="/tmp") as place:  # pytest's own are closed to others
        os.chmod(place, 0o755)
        moved = shutil.copy(file, place)
        for name in ("nobody", "root"):
            assert main(["trace", "--no-compare", "--user", name, moved]) == 0
            assert f"stderr: {name}\n" in capsys.readouterr().out


def test_root_is_told_whom_the_script_runs_as(capsys: pytest.CaptureFixture[str]) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as place:
        os.chmod(place, 0o755)
        file = Path(place) / "a.sh"
        file.write_text("#!/bin/sh\nid -un >&2\n")
        file.chmod(0o755)
        if os.geteuid():
            assert main(["trace", "--no-compare", str(file)]) == 0
            assert "running it as" not in capsys.readouterr().err
            return
        os.chown(file, 65_534, -1)
        os.chown(place, 65_534, -1)
        assert main(["trace", "--no-compare", str(file)]) == 0
        nobody = pwd.getpwuid(65_534).pw_name
        wanted = f"cgikit trace: {file}: running it as {nobody} (the owner of its file)\n"
        printed = capsys.readouterr()
        assert wanted in printed.err
        assert f"stderr: {nobody}\n" in printed.out
        os.chown(place, 0, -1)
        os.chown(file, 0, -1)  # then it is that of a web server, or root, with the reason
        assert main(["trace", "--no-compare", str(file)]) == 0
        printed = capsys.readouterr()
        name = printed.out.partition("stderr: ")[2].partition("\n")[0]
        assert f"cgikit trace: {file}: running it as {name} (" in printed.err
        assert main(["trace", "--no-compare", "--user", nobody, str(file)]) == 0
        assert f"{file}: running it as {nobody}\n" in capsys.readouterr().err


def test_a_user_who_is_not_there(script: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", "--user", "no-such-user", script]) == 2
    assert "this machine has no user 'no-such-user'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["/no/such/script"], 1, "/no/such/script: No such file or directory"),
        (["-n", "0", "x"], 2, "is not a number from 1 to 1000"),
    ],
)
def test_what_cannot_be_traced(
    words: list[str], status: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        found = main(["trace", *words])
    except SystemExit as ended:
        found = int(str(ended.code))
    assert found == status
    assert message in capsys.readouterr().err


def test_a_script_that_cannot_be_started(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.py"
    file.write_text("x")
    assert main(["trace", str(file)]) == 1
    assert "cannot be started: Permission denied" in capsys.readouterr().err
