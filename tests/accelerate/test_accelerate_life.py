"""When a daemon ends, and when another one takes its place."""

import os
import resource
import shutil
import time
from pathlib import Path

import pytest
from accelerating import Site
from servers.interpreter import Interpreter
from serving import until

PLAIN = "print('Content-Type: text/plain\\n\\nhello')"
HELD = """
import sys
held = "colorsys" in sys.modules
import colorsys
print("Content-Type: text/plain\\n\\n", held)
"""
#: What a virtual environment need not have to run scripts.
UNUSED = shutil.ignore_patterns("pip*", "setuptools*", "gunicorn*")


def is_gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def ended(site: Site, pid: int, why: str) -> bool:
    """Whether a daemon has ended and has said why."""
    return until(lambda: is_gone(pid)) and why in site.log() and not (site.place / "s").exists()


@pytest.mark.parametrize("what", ["removed", "changed"])
def test_it_ends_with_its_front(site: Site, kind: str, what: str) -> None:
    for name in ("one.py", "two.py"):
        site.script(name, PLAIN)
    assert site.accelerate("--front", kind, "one.py", "two.py").returncode == 0
    pid = site.warm("one.cgi")
    front = site.folder / "two.cgi"
    if what == "removed":
        front.unlink()
    else:
        front.write_text(front.read_text() + "\n")
    assert ended(site, pid, f"it ends: {front} has changed"), site.log()
    assert site.request("one.cgi").stdout.endswith(b"hello\n")
    assert site.warm("one.cgi") != pid


def test_it_ends_when_a_script_takes_the_place_of_a_front_that_kept_it(site: Site) -> None:
    path = site.script("kept.py", PLAIN)
    assert site.accelerate("--in-place", "kept.py").returncode == 0
    pid = site.warm("kept.py")
    site.script("kept.py", PLAIN)
    assert ended(site, pid, f"it ends: {path} has changed"), site.log()


def test_it_goes_on_when_a_script_is_changed_in_its_front(site: Site) -> None:
    path = site.script("kept.py", PLAIN)
    assert site.accelerate("--in-place", "kept.py").returncode == 0
    pid = site.warm("kept.py")
    path.write_bytes(path.read_bytes().replace(b"hello", b"other"))
    assert site.warm_request("kept.py").stdout.endswith(b"other\n")
    counts = site.place / "counts"
    assert until(counts.exists)  # it has looked
    assert site.warm_request("kept.py").stdout.endswith(b"other\n")
    assert site.daemon() == pid


def test_it_ends_with_the_folder_of_its_scripts(site: Site) -> None:
    site.script("one.py", PLAIN)
    assert site.accelerate("one.py").returncode == 0
    pid = site.warm("one.cgi")
    site.folder.rename(site.directory / "moved")
    assert ended(site, pid, f"it ends: {site.folder} is gone"), site.log()


def test_it_ends_before_the_time_that_it_may_use_is_over(site: Site) -> None:
    site.script("one.py", PLAIN)
    assert site.accelerate("one.py").returncode == 0
    # Two seconds before the end is at once
    site.wake("one.cgi", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (2, 20)))
    assert until(lambda: "it ends: the time of the processor" in site.log()), site.log()
    assert until(lambda: not (site.place / "s").exists())
    assert (site.place / "wait").stat().st_mtime > time.time()  # the next one is none the better
    assert site.request("one.cgi").stdout.endswith(b"hello\n")


# --- a successor ------------------------------------------------------------------------------


@pytest.fixture
def own(site: Site, script_interpreter: Interpreter) -> Site:
    """A site with an interpreter of its own, which may be changed."""
    place = site.directory / "python"
    shutil.copytree(script_interpreter.directory, place, symlinks=True, ignore=UNUSED)
    site.python = place / "bin" / "python3"
    for path in (place, *place.rglob("*")):
        if not path.is_symlink():
            site.give(path)
    return site


def packages(site: Site) -> Path:
    """Where the libraries of a site's own interpreter are."""
    (found,) = (site.directory / "python" / "lib").glob("python3*/site-packages")
    return found


def change(site: Site, what: str) -> None:
    """Change something of a site's own interpreter."""
    if what == "interpreter":
        new = site.python.with_name("new")
        shutil.copy(os.path.realpath(site.python), new)
        new.replace(site.python)
        return
    path = {
        "cgikit": packages(site) / "cgikit" / "logfile.py",
        "environment": site.directory / "python" / "pyvenv.cfg",
        "paths": packages(site) / "more.pth",
    }[what]
    text = path.read_text() if path.exists() else ""
    path.write_text(f"{text}\n# changed\n")


@pytest.mark.parametrize("what", ["interpreter", "cgikit", "environment", "paths"])
def test_what_an_interpreter_is_made_of_has_changed(own: Site, what: str) -> None:
    own.script("one.py", PLAIN)
    assert own.accelerate("one.py").returncode == 0
    pid = own.warm("one.cgi")
    change(own, what)

    def is_replaced() -> bool:
        assert own.request("one.cgi").stdout.endswith(b"hello\n")
        return own.daemon() not in (0, pid)

    assert until(is_replaced), own.log()
    assert " has changed" in own.log()
    assert own.warm_request("one.cgi").stdout.endswith(b"hello\n")
    assert until(lambda: is_gone(pid))


def test_a_library_is_never_out_of_date(own: Site) -> None:
    library = packages(own) / "some_library.py"
    library.write_text("VALUE = 0")
    own.script("one.py", "import some_library as s\nprint('Content-Type: a/b\\n\\n', s.VALUE)")
    assert own.accelerate("one.py").returncode == 0
    pid = own.warm("one.cgi")
    assert own.warm_request("one.cgi").stdout.endswith(b" 0\n")
    assert until(lambda: "some_library ok" in (own.place / "learnt").read_text())
    assert until(lambda: own.daemon() not in (0, pid)), own.log()  # it has loaded it
    for number in range(1, 4):
        before = own.daemon()
        new = library.with_name("new")
        # Of another size: a compiled file is valid for a second for what has the same one
        new.write_text(f"VALUE = {number}{' ' * number}")
        new.replace(library)

        def is_replaced(number: int = number, before: int = before) -> bool:
            assert own.request("one.cgi").stdout.endswith(b" %d\n" % number)
            return own.daemon() not in (0, before)

        def has_run_warm(number: int = number) -> bool:
            before = own.direct()  # at first it might change again unnoticed, and is loaded again
            assert own.request("one.cgi").stdout.endswith(b" %d\n" % number)
            return own.direct() == before

        assert until(is_replaced), own.log()
        assert until(has_run_warm), own.log()


def test_a_successor_that_cannot_start(own: Site) -> None:
    own.script("one.py", PLAIN)
    assert own.accelerate("one.py").returncode == 0
    pid = own.warm("one.cgi")
    daemon = packages(own) / "cgikit" / "accelerate" / "daemon.py"
    good = daemon.read_text()
    daemon.write_text("raise SystemExit(3)\n")

    def has_ended() -> bool:
        assert own.request("one.cgi").stdout.endswith(b"hello\n")
        return "a successor ended before it was ready" in own.log()

    assert until(has_ended), own.log()
    assert until(lambda: is_gone(pid))
    daemon.write_text(good)
    own.warm("one.cgi")
    assert own.warm_request("one.cgi").stdout.endswith(b"hello\n")


def test_what_scripts_import_is_loaded_by_a_successor_and_no_request_is_lost(site: Site) -> None:
    runs = site.directory / "runs"
    runs.touch()
    site.give(runs)
    note = f"with open({str(runs)!r}, 'a') as runs:\n    runs.write('run\\n')\n"
    site.script("one.py", note + HELD)
    assert site.accelerate("one.py").returncode == 0
    pid = site.warm("one.cgi")
    runs.write_text("")
    answers = []

    def ask() -> bytes:
        answers.append(site.request("one.cgi").stdout)
        return answers[-1]

    def has_run_warm() -> bool:
        before = site.direct()
        return ask().endswith(b" False\n") and site.direct() == before

    def is_replaced() -> bool:
        ask()
        return site.daemon() not in (0, pid)

    assert until(has_run_warm), site.log()
    assert until(lambda: "colorsys ok" in (site.place / "learnt").read_text()), site.log()
    assert until(is_replaced), site.log()
    assert until(lambda: ask().endswith(b" True\n")), site.log()
    assert until(lambda: is_gone(pid))
    assert runs.read_text() == "run\n" * len(answers)
    assert all(answers)
