"""`cgikit.accelerate.inplace`: a front that keeps its script, from the file to requests."""

import json
import os
import signal
from pathlib import Path

import pytest
from accelerating import Site
from serving import until

from cgikit.accelerate import inplace
from cgikit.accelerate.inplace import Kept

FRONT = b"#!/usr/bin/python3 -IS\n# the front\nprint(1)\n"
SEEN = """
import json, os, sys
import beside
import __main__
print("Content-Type: application/json\\n")
print(json.dumps({
    "file": __file__, "path": sys.path, "argv": sys.argv, "cwd": os.getcwd(), "name": __name__,
    "orig_argv": sys.orig_argv[1:], "flags": list(sys.flags), "stdin": sys.stdin.read(),
    "relative": open("data.txt").read(), "beside": beside.__file__, "main": sorted(vars(__main__)),
    "environ": {name: os.environ[name] for name in sorted(os.environ)}, "doc": __doc__,
    "loader": [type(__loader__).__name__, __loader__.path], "executable": sys.executable,
    "line": sys._getframe().f_lineno, "code": sys._getframe().f_code.co_filename,
}))
"""


@pytest.mark.parametrize(
    "text",
    [
        b"#!/usr/bin/python3",
        b"#!/usr/bin/python3\n",
        b"#!/usr/bin/env python3\n\n\n",
        b"#!/usr/bin/python3\n#|x\n#> y\n'''\n#|\n",
        b"#!/usr/bin/python3\n# coding: latin-1\nx = '\xff'\n",
        b"#!/usr/bin/python3\nx = 1\r\ny = 2",
    ],
)
@pytest.mark.parametrize("mode", [0o700, 0o755, 0o4755])
def test_a_script_comes_back_byte_for_byte(text: bytes, mode: int) -> None:
    whole = inplace.together(FRONT, Kept(text, mode, 123_456_789))
    found = inplace.kept(whole)
    assert found is not None
    assert (found.data, found.mode, found.time) == (text, mode, 123_456_789)
    assert whole.startswith(b"#!/usr/bin/python3 -IS\n")
    compile(whole, "x", "exec")
    before, after = text.split(b"\n")[1:], inplace.source(whole).split(b"\n")[1:]
    assert after == (before[:-1] if before and not before[-1] else before)


def test_a_script_that_was_changed_in_its_front_has_no_time() -> None:
    whole = inplace.together(FRONT, Kept(b"#!/usr/bin/python3\nx = 1\n", 0o755, 5))
    found = inplace.kept(whole.replace(b"#|x = 1", b"#|x = 2"))
    assert found is not None
    assert (found.data, found.time) == (b"#!/usr/bin/python3\nx = 2\n", None)


@pytest.mark.parametrize("data", [b"", b"x", FRONT, b"#!/p -IS\n#|x", b"#!/p -IS\n#|x\n#> 9 x\n"])
def test_other_files_keep_nothing(data: bytes) -> None:
    assert inplace.kept(data) is None


@pytest.mark.parametrize("text", [b"a\0b", b"a\rb\n", b" " * (inplace.MOST + 1)])
def test_what_cannot_be_kept_is_told(text: bytes) -> None:
    assert inplace.why_not(text)
    assert not inplace.why_not(b"a\r\nb\n")


@pytest.fixture
def seen(site: Site) -> Site:
    (site.folder / "beside.py").write_text("x = 1")
    (site.folder / "data.txt").write_text("data")
    site.script("seen.py", SEEN)
    return site


def body(site: Site, out: bytes) -> dict[str, object]:
    found: dict[str, object] = json.loads(out.partition(b"\n\n")[2])
    return found


def test_a_script_sees_the_same_before_directly_and_warm(seen: Site) -> None:
    def ask(request: object) -> dict[str, object]:
        assert callable(request)
        done = request("seen.py", {"HTTP_X": "1", "LC_CTYPE": "C.UTF-8"}, b"a=1", ("word",))
        assert done.returncode == 0, done.stderr
        return body(seen, done.stdout)

    before = ask(seen.request)
    assert seen.accelerate("--in-place", "seen.py").returncode == 0
    direct = ask(seen.request)
    pid = seen.warm("seen.py", {"LC_CTYPE": "C.UTF-8"})
    warm = ask(seen.warm_request)
    assert direct == before
    assert warm == before
    assert seen.daemon() == pid
    assert before["relative"] == "data"


def test_undo_puts_it_back_exactly(site: Site) -> None:
    path = site.script("hello.py", "print('Content-Type: x/y\\n\\nhello')")
    path.chmod(0o750)
    os.utime(path, ns=(5, 1_600_000_000_123_456_789))
    before, found = path.read_bytes(), path.stat()
    assert site.accelerate("--in-place", "hello.py").returncode == 0
    front = path.stat()
    assert (front.st_mode, front.st_uid, front.st_gid) == (
        found.st_mode,
        found.st_uid,
        found.st_gid,
    )
    assert os.listdir(site.folder) == ["hello.py"]  # nothing else that could be sent or run
    again = site.accelerate("--in-place", "hello.py")
    assert (again.returncode, b"is a front itself" in again.stderr) == (1, True)
    pid, place = site.warm("hello.py"), site.place
    done = site.accelerate("--undo", "hello.py")
    assert done.stdout.decode() == f"put back hello.py\nremoved {place}\n"
    assert path.read_bytes() == before
    assert (path.stat().st_mode, path.stat().st_mtime_ns) == (found.st_mode, found.st_mtime_ns)
    assert until(lambda: not Path(f"/proc/{pid}").exists())


@pytest.mark.parametrize("damage", ["settings", "all"])
def test_undo_needs_nothing_but_the_file(site: Site, damage: str) -> None:
    path = site.script("hello.py", "print('Content-Type: x/y\\n\\nhello')")
    before = path.read_bytes()
    assert site.accelerate("--in-place", ".").returncode == 0
    (site.place / "settings").unlink()
    if damage == "all":
        site.place.rmdir()
    assert site.request("hello.py").stdout.endswith(b"hello\n")
    assert site.accelerate("--undo", ".").stdout.decode() == f"put back {path}\n"
    assert path.read_bytes() == before


def test_a_change_in_the_front_and_a_new_script_are_seen_at_once(site: Site) -> None:
    path = site.script("text.py", "print('Content-Type: x/y\\n\\n0')")
    assert site.accelerate("--in-place", "text.py").returncode == 0
    site.warm("text.py")
    assert site.warm_request("text.py").stdout.endswith(b"0\n")
    new = site.folder / "new"
    new.write_bytes(path.read_bytes().replace(b"\\n0')", b"\\n1')"))
    new.chmod(0o755)
    site.give(new)
    new.replace(path)
    assert site.warm_request("text.py").stdout.endswith(b"1\n")
    site.script("text.py", "print('Content-Type: x/y\\n\\n2')")  # uploaded: the front is gone
    assert site.request("text.py").stdout.endswith(b"2\n")


@pytest.mark.parametrize("when", [1, 2])
@pytest.mark.parametrize("option", ["--in-place", "--undo"])
def test_a_script_is_whole_whenever_the_command_is_killed(
    site: Site, option: str, when: int
) -> None:
    """Killed before or after each rename: one file of that name, which answers."""
    path = site.script("hello.py", "print('Content-Type: x/y\\n\\nhello')")
    before = path.read_bytes()
    if option == "--undo":
        assert site.accelerate("--in-place", "hello.py").returncode == 0
    done = site.accelerate_killed(when, option, "hello.py")
    assert done.returncode == -signal.SIGKILL
    assert site.request("hello.py").stdout.endswith(b"hello\n")
    site.accelerate("--undo", "hello.py")
    assert path.read_bytes() == before


def test_an_error_names_the_line_that_its_author_knows(site: Site) -> None:
    site.script("bad.py", "# coding: utf-8\n\n\n1 / 0\n")
    assert site.accelerate("--in-place", "bad.py").returncode == 0
    direct = site.request("bad.py")
    site.warm("bad.py")
    warm = site.warm_request("bad.py")
    for done in (direct, warm):
        assert done.returncode == 1
        assert f'File "{site.folder}/bad.py", line 5, in <module>'.encode() in done.stderr


def test_a_front_in_place_is_no_perl(site: Site) -> None:
    site.script("hello.py", "pass")
    done = site.accelerate("--in-place", "--front", "perl", "hello.py")
    assert (done.returncode, b"leave out --front perl" in done.stderr) == (2, True)
