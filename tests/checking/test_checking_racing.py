"""A file that is read and written back without a lock loses changes."""

from pathlib import Path

import pytest

from cgikit.checking.racing import check_racing

RACING = {
    "the classic": 'n = int(open("count").read()) + 1\nopen("count", "w").write(str(n))\n',
    "with": 'with open("c") as f:\n    n = f.read()\nwith open("c", mode="w") as f:\n    f.write(n)\n',
    "a name": 'PATH = "c"\nx = open(PATH, "r").read()\nopen(PATH, "w").write(x)\n',
    "functions": "def a():\n    return open(P).read()\ndef b(x):\n    open(P, 'w').write(x)\n",
}
SAFE = {
    "written only": 'open("count", "w").write("1")\n',
    "appended": 'open("c").read()\nopen("c", "a").write("1")\n',
    "two files": 'x = open("a").read()\nopen("b", "w").write(x)\n',
    "locked": 'import fcntl\nf = open("c")\nfcntl.flock(f, 2)\nopen("c", "w").write("1")\n',
    "cgikit": 'from cgikit import lock\nopen("c").read()\nopen("c", "w").write("1")\n',
    "no Python": "this is no Python (",
    "a NUL": "x = '\0'",
    "deep": "x = " + "(" * 3_000 + ")" * 3_000,
}


@pytest.mark.parametrize("name", RACING)
def test_a_race_is_found_with_its_line(tmp_path: Path, name: str) -> None:
    file = tmp_path / "a.py"
    file.write_text(RACING[name])
    (found,) = check_racing(str(file))
    assert (found.kind, found.is_error) == ("racing-file", False)
    assert "'w'" in RACING[name].replace('"w"', "'w'").splitlines()[found.line - 1]
    assert f"a.py, line {found.line} writes" in found.what
    assert "Counter" in found.fix


@pytest.mark.parametrize("name", SAFE)
def test_no_race(tmp_path: Path, name: str) -> None:
    file = tmp_path / "a.py"
    file.write_text(SAFE[name])
    assert check_racing(str(file)) == []


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert check_racing(str(tmp_path / "none.py")) == []
