"""logfile: whole, stamped lines of several processes, and a limit."""

import io
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from child import DEADLINE, environment, run_script
from persisting import application

from cgikit import WSGI
from cgikit.logfile import LogFile

STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \[(\d+)\] ")


def lines(path: Path) -> list[str]:
    """The lines of a log without their stamps."""
    found = path.read_text().splitlines()
    assert all(STAMP.match(line) for line in found), found
    return [STAMP.sub("", line, count=1) for line in found]


def test_each_line_is_stamped_and_nothing_forges_one(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "log", io.StringIO())
    log.write("one\ntw")
    log.write("o\n")
    log.writelines(["\x1b[0m\u2028é\tx\r\n", "rest"])
    assert lines(tmp_path / "log") == ["one", "two", "\\x1b[0m\\u2028é\tx\\r"]
    log.flush()
    log.flush()
    assert lines(tmp_path / "log")[3:] == ["rest"]
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600
    assert not log.isatty()
    assert STAMP.match((tmp_path / "log").read_text())[1] == str(os.getpid())  # type: ignore[index]


def test_a_line_without_an_end_takes_no_memory(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "log", io.StringIO())
    for _ in range(100):
        log.write("x" * 1_000)
    assert len(lines(tmp_path / "log")) >= 10


@pytest.mark.parametrize("what", ["missing", "directory", "link", "fifo", "nul"])
def test_a_log_that_cannot_be_written_is_said_once_and_loses_nothing(
    tmp_path: Path, what: str
) -> None:
    path, own = tmp_path / "log", io.StringIO()
    if what == "missing":
        path = tmp_path / "no" / "log"
    elif what == "directory":
        path.mkdir()
    elif what == "link":
        path.symlink_to(tmp_path / "other")
    elif what == "fifo":
        os.mkfifo(path)
    else:
        path = tmp_path / "a\0b"
    log = LogFile(path, own)
    log.write("one\n")
    log.write("two\n")
    told, *rest = own.getvalue().splitlines()
    assert told.startswith(f"cgikit: the log {str(path)!r} cannot be written: ")
    assert [STAMP.sub("", line) for line in rest] == ["one", "two"]
    assert not (tmp_path / "other").exists()


def test_a_full_log_is_put_aside_once(tmp_path: Path) -> None:
    path, aside = tmp_path / "log", tmp_path / "log.cgikit-old"
    log = LogFile(path, io.StringIO(), limit=1_000)
    for number in range(100):
        log.write(f"line {number}\n")
    assert path.stat().st_size <= 1_000
    assert aside.stat().st_size <= 1_000
    kept = lines(aside) + lines(path)
    assert kept == [f"line {number}" for number in range(100 - len(kept), 100)]


WRITES = """
import sys
from cgikit.logfile import LogFile
log = LogFile(sys.argv[1], limit=20_000)
for number in range(300):
    log.write(f"{sys.argv[2]} {number} {'x' * 50}\\n")
"""


def test_lines_of_several_processes_do_not_mix(tmp_path: Path) -> None:
    """No line is lost when the file is put aside: the newest ones are in one of the two files."""
    path = tmp_path / "log"
    processes = [
        subprocess.Popen([sys.executable, "-c", WRITES, str(path), str(n)]) for n in range(4)
    ]
    assert [process.wait(DEADLINE) for process in processes] == [0] * 4
    kept = lines(tmp_path / "log.cgikit-old") + lines(path)
    assert all(re.fullmatch(r"[0-3] \d+ x{50}", line) for line in kept)
    for number in range(4):
        own = [int(line.split()[1]) for line in kept if line.startswith(f"{number} ")]
        if own:
            assert sorted(own) == list(range(min(own), 300))


def test_threads_share_one(tmp_path: Path) -> None:
    def writes(name: str) -> None:
        log = LogFile(tmp_path / "log", io.StringIO())
        for number in range(50):
            log.write(f"{name}{number}\n")

    threads = [threading.Thread(target=writes, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
    assert sorted(lines(tmp_path / "log")) == sorted(f"{n}{i}" for n in "abc" for i in range(50))


LOUD = """
import os, warnings
def page(request):
    print("a line", file=sys.stderr)
    warnings.warn("take care")
    os.mkdir("elsewhere")
    os.chdir("elsewhere")
    return 1 / 0
"""


def test_run_logs_into_a_file(tmp_path: Path) -> None:
    answer = run_script(tmp_path, f"{LOUD}run(page, log='error.log')")
    assert answer.status == 500
    assert answer.errors == ""
    found = lines(tmp_path / "error.log")
    assert found[0] == "a line"
    assert any("UserWarning: take care" in line for line in found)
    number = re.findall("incident ([0-9a-f]{8})", answer.page)[0]
    assert found[-1] == f"[incident {number}] ZeroDivisionError: division by zero"


def test_a_script_that_is_started_by_hand_logs_to_the_terminal(tmp_path: Path) -> None:
    by_hand = environment(REQUEST_METHOD="", GATEWAY_INTERFACE="")
    answer = run_script(tmp_path, f"{LOUD}run(page, log='error.log')", env=by_hand)
    assert "ZeroDivisionError" in answer.errors
    assert not (tmp_path / "error.log").exists()


def test_a_persistent_script_logs_into_a_file(tmp_path: Path) -> None:
    code = "from cgikit import run\nrun(lambda request: 1 / 0, log='error.log')\n"
    with application(tmp_path, code) as app:
        assert app.ask().status == 500
        assert app.ask().status == 500
        assert app.stop() == 0
    assert "\n".join(lines(tmp_path / "error.log")).count("ZeroDivisionError") == 2


def test_a_wsgi_application_logs_into_a_file(tmp_path: Path) -> None:
    errors = io.StringIO()
    environ = {"wsgi.input": io.BytesIO(), "wsgi.errors": errors, "REQUEST_METHOD": "GET"}
    application = WSGI(lambda request: str(1 / 0), log=tmp_path / "error.log")
    b"".join(application(environ, lambda *_: None))  # type: ignore[arg-type]
    assert errors.getvalue() == ""
    assert lines(tmp_path / "error.log")[-1].endswith("ZeroDivisionError: division by zero")


def test_what_a_visitor_sends_does_not_fill_the_log(tmp_path: Path) -> None:
    """One request of a million line ends made a log of 50 MB, whose limit is 4 MiB."""
    path, aside = tmp_path / "log", tmp_path / "log.cgikit-old"
    aside.write_text("the log of before\n")
    source = (
        "from cgikit import run\n"
        "def h(request):\n"
        "    raise ValueError('bad order: ' + 'a' + '\\n' * 999_999 + 'the end')\n"
    )
    for call in ("run(h)", f"run(h, log={str(path)!r})"):
        answer = run_script(tmp_path, source + call)
        assert answer.status == 500
        written = answer.errors if call == "run(h)" else path.read_text()
        assert len(written) < 200_000
        assert re.search(r"\.\.\. 999\d{3} more lines\n", written)
        assert "bad order: a" in written
        assert written.endswith("the end\n")
    assert aside.read_text() == "the log of before\n"


def test_an_entry_of_long_lines_has_a_limit(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "log", io.StringIO())
    log.write(("\U000e0001" * 10_000 + "\n") * 900)
    assert (tmp_path / "log").stat().st_size < 700_000
    assert any(line.endswith(" more lines") for line in lines(tmp_path / "log"))


def test_an_empty_log_is_not_put_aside(tmp_path: Path) -> None:
    path, aside = tmp_path / "log", tmp_path / "log.cgikit-old"
    aside.write_text("the log of before\n")
    LogFile(path, io.StringIO(), limit=10).write("longer than the limit\n")
    assert lines(path) == ["longer than the limit"]
    assert aside.read_text() == "the log of before\n"
