"""What is mended, and that nothing else is touched whatever lies there."""

import os
import sys
from pathlib import Path

import pytest

from cgikit.checking import script
from cgikit.checking.account import Account
from cgikit.checking.exposed import DENY, check_exposed
from cgikit.checking.finding import Finding
from cgikit.checking.mending import Mend, Refused, Tree, mends

FIRST = f"#!{sys.executable}\n"
CRLF = f"#!{sys.executable}\r\nprint('Content-Type: text/plain\\r\\n')\r\n"
STRANGER = Account("stranger", 54_321, 54_321, frozenset({54_321}))


def write(file: Path, source: str | bytes, mode: int = 0o755) -> Path:
    file.write_bytes(source.encode() if isinstance(source, str) else source)
    file.chmod(mode)
    return file


def mode(file: Path) -> int:
    return file.stat().st_mode & 0o777


def mend(kind: str, file: Path, top: Path | None = None) -> None:
    Tree(str(top or file.parent)).apply(Mend(Finding(kind, "", file=str(file), command="x")))


@pytest.mark.parametrize("by", ["script", "directory", "link to the directory"])
@pytest.mark.parametrize(
    ("source", "before", "after"),
    [
        (FIRST.encode(), 0o644, 0o755),
        (FIRST.encode(), 0o777, 0o755),
        (CRLF.encode(), 0o750, 0o750),
        (b"\xef\xbb\xbf" + CRLF.encode(), 0o705, 0o705),
    ],
)
def test_what_is_found_is_mended_and_then_not_found(
    tmp_path: Path, source: bytes, before: int, after: int, by: str
) -> None:
    (tmp_path / "bin").mkdir(mode=0o755)
    (tmp_path / "link").symlink_to(tmp_path / "bin")
    file = write(tmp_path / "bin" / "a.py", source, before)
    place = "link" if by == "link to the directory" else "bin"
    named = tmp_path / place / ("a.py" if by == "script" else "")
    tree = Tree(str(named))
    account = Account.current()
    if after == 0o755:
        account = Account("stranger", os.geteuid(), 0, frozenset()) if os.geteuid() else STRANGER
    found = script.check_permissions(str(tmp_path / place / "a.py"), account)
    line = script.check_first_line(str(tmp_path / place / "a.py"), "/bin")
    made = mends([each for each in [*found, line] if each and each.kind != "directory-closed"])
    assert made
    for each in made:
        tree.apply(each)
    assert mode(file) == after
    assert file.read_bytes() == source.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")
    assert sorted(os.listdir(tmp_path / "bin")) == ["a.py"]


def test_the_directory_itself(tmp_path: Path) -> None:
    place = tmp_path / "bin"
    place.mkdir()
    place.chmod(0o2777)
    file = write(place / "a.py", FIRST)
    (found,) = script.check_permissions(str(file), Account.current())
    (made,) = mends([found])
    assert made.what == "chmod go-w"
    Tree(str(file)).apply(made)
    assert place.stat().st_mode & 0o7777 == 0o2755


def test_a_deny_file_is_written_and_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x").touch()
    (made,) = mends(check_exposed(str(tmp_path)))
    Tree(str(tmp_path)).apply(made)
    assert (tmp_path / "data" / ".htaccess").read_text() == DENY
    assert mode(tmp_path / "data" / ".htaccess") == 0o644
    (tmp_path / "data" / ".htaccess").write_text("mine")
    with pytest.raises(FileExistsError):
        Tree(str(tmp_path)).apply(made)
    assert (tmp_path / "data" / ".htaccess").read_text() == "mine"


@pytest.mark.parametrize("kind", ["not-executable", "writable-by-others", "windows-line-ends"])
def test_no_link_is_followed(tmp_path: Path, kind: str) -> None:
    target = write(tmp_path / "target", CRLF, 0o622)
    (tmp_path / "a.py").symlink_to(target)
    with pytest.raises(Refused, match="a symbolic link"):
        mend(kind, tmp_path / "a.py")
    assert (target.read_bytes().decode(), mode(target)) == (CRLF, 0o622)


@pytest.mark.parametrize("kind", ["not-executable", "windows-line-ends", "exposed"])
def test_no_directory_that_became_a_link_is_entered(tmp_path: Path, kind: str) -> None:
    """Somebody who can write in the tree puts a link to another directory in the place of one."""
    (tmp_path / "bin" / "sub").mkdir(parents=True)
    (tmp_path / "private").mkdir()
    target = write(tmp_path / "private" / "a.py", CRLF, 0o600)
    tree = Tree(str(tmp_path / "bin"))
    (tmp_path / "bin" / "sub").rmdir()
    (tmp_path / "bin" / "sub").symlink_to(tmp_path / "private")
    where = "bin/sub" if kind == "exposed" else "bin/sub/a.py"
    with pytest.raises((Refused, NotADirectoryError)):
        tree.apply(Mend(Finding(kind, "", file=str(tmp_path / where), command="x")))
    assert (target.read_bytes().decode(), mode(target)) == (CRLF, 0o600)
    assert os.listdir(tmp_path / "private") == ["a.py"]


@pytest.mark.parametrize("kind", ["not-executable", "windows-line-ends"])
def test_a_file_with_a_second_name_is_left_alone(tmp_path: Path, kind: str) -> None:
    target = write(tmp_path / "target", CRLF, 0o600)
    os.link(target, tmp_path / "a.py")
    with pytest.raises(Refused, match="2 names"):
        mend(kind, tmp_path / "a.py")
    assert (target.read_bytes().decode(), mode(target)) == (CRLF, 0o600)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has files of another owner")
@pytest.mark.parametrize("kind", ["not-executable", "windows-line-ends", "exposed"])
def test_what_belongs_to_another_user_is_left_alone(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "data"
    place.mkdir()
    file = write(place / "a.py", CRLF, 0o600)
    os.chown(place, STRANGER.uid, -1)
    os.chown(file, STRANGER.uid, -1)
    with pytest.raises(Refused, match="belongs to user 54321"):
        mend(kind, place if kind == "exposed" else file, tmp_path)
    assert (file.read_bytes().decode(), mode(file)) == (CRLF, 0o600)
    assert os.listdir(place) == ["a.py"]


def test_what_is_not_below_the_named_directory_is_left_alone(tmp_path: Path) -> None:
    file = write(tmp_path / "a.py", FIRST, 0o600)
    (tmp_path / "bin").mkdir()
    with pytest.raises(Refused, match="not in the directory"):
        mend("not-executable", file, tmp_path / "bin")
    assert mode(file) == 0o600


def test_in_a_directory_what_is_closed_to_others_stays_closed(tmp_path: Path) -> None:
    """A purge.sh of mode 600 became a page that everybody could ask for."""
    file = write(tmp_path / "purge.sh", "#!/bin/sh\n", 0o600)
    with pytest.raises(Refused, match="perhaps on purpose; name the file itself"):
        mend("not-executable", file)
    assert mode(file) == 0o600
    mend("not-executable", file, top=file)
    assert mode(file) == 0o755


@pytest.mark.parametrize("content", [b"\0\r\n", b"x\r\n" * 1_500_000])
def test_what_is_no_text_is_left_alone(tmp_path: Path, content: bytes) -> None:
    file = write(tmp_path / "a.py", content)
    with pytest.raises(Refused, match="not a text"):
        mend("windows-line-ends", file)
    assert file.read_bytes() == content


@pytest.mark.parametrize("kind", ["not-executable", "windows-line-ends"])
def test_a_fifo_holds_nobody_up(tmp_path: Path, kind: str) -> None:
    os.mkfifo(tmp_path / "a.py", 0o600)
    with pytest.raises(OSError, match="a FIFO"):
        mend(kind, tmp_path / "a.py")


def test_most_findings_have_no_mend() -> None:
    kinds = ("missing", "syntax-error", "interpreter-missing", "directory-closed", "exposed")
    assert mends([Finding(kind, "", file="x") for kind in kinds]) == []
