"""Uploads: names that are data (S6), files that are complete or not there, nothing left behind."""

import errno
import fcntl
import io
import os
import re
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from posting import (
    MULTIPART,
    child,
    clean_environ,
    descriptors,
    environ,
    file,
    multipart,
    post,
)
from properties import any_texts
from requirement import lack, need

from cgikit import CGIError, Request, StorageError, Upload
from cgikit.testing import Client
from cgikit.upload import safe_filename

SMALL = b"small"
BIG = bytes(range(256)) * 800  # 200 KiB: waits in a file

both_sizes = pytest.mark.parametrize("content", [b"", SMALL, BIG], ids=["empty", "small", "big"])


def received(directory: Path | str, content: bytes, filename: str = "x.txt") -> Upload:
    """An upload that waits in `directory`, written in pieces."""
    upload = Upload(filename, "text/plain", str(directory))
    for start in range(0, len(content), 10_000):
        upload.write(content[start : start + 10_000])
    return upload


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    path = tmp_path / "spool"
    path.mkdir()
    return path


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    path = tmp_path / "kept"
    path.mkdir()
    return path


# --- S6: names -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("report.pdf", "report.pdf"),
        ("Überblick 2030.txt", "Überblick 2030.txt"),
        ("U\u0308ber.txt", "U\u0308ber.txt"),
        ("日本語.txt", "日本語.txt"),
        ("a b (1).txt", "a b (1).txt"),
        ("../../etc/passwd", "passwd"),
        ("/etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("C:\\dir\\x.txt", "x.txt"),
        ("C:x.txt", "x.txt"),
        ("C:..\\x.txt", "x.txt"),
        ("a/b\\c/d.txt", "d.txt"),
        ("\\\\server\\share\\x", "x"),
        ("x/", "upload"),
        ("..", "upload"),
        (".", "upload"),
        ("", "upload"),
        ("C:", "upload"),
        ("/", "upload"),
        (" . . ", "upload"),
        (".htaccess", "htaccess"),
        ("...x", "x"),
        (" .x", "x"),
        ("x.txt...", "x.txt"),
        ("x.txt. .", "x.txt"),
        ("x.php\0.jpg", "x.php.jpg"),
        ("a\r\nb\tc\x7f.txt", "abc.txt"),
        ("\u202egpj.exe", "gpj.exe"),
        ("a\u200bb\u2028c\xa0d", "abcd"),
        ("\ufffd\ufffd.txt", "txt"),
        ("\udcff.txt", "txt"),
        ("tar.gz", "tar.gz"),
        ("12:30.txt", "12:30.txt"),
        ("x" * 300, "x" * 200),
        ("x" * 300 + ".txt", "x" * 196 + ".txt"),
        ("ä" * 300 + ".txt", "ä" * 98 + ".txt"),
        ("ä" * 99 + "x" + ".txt", "ä" * 98 + ".txt"),
        ("x" * 190 + "." + "y" * 30, "x" * 190 + "." + "y" * 9),
        ("x" * 199 + " .txt" + "y" * 9, "x" * 187 + ".txt" + "y" * 9),
        ("x" * 180 + " " * 20 + ".txt", "x" * 180 + ".txt"),
        ("C:D:.E:x", "x"),
        (". C:x", "x"),
        ("x" * 199 + ". ." + "y" * 30, "x" * 199),
        ("x" * 200, "x" * 200),
    ],
)
def test_safe_names(sent: str, name: str) -> None:
    assert safe_filename(sent) == name
    upload = Upload(sent)
    assert (upload.filename, upload.client_filename) == (name, sent)


@given(any_texts | st.text("./\\: \0aäC\u202e\ufffd", max_size=400) | st.text(min_size=150))
def test_any_name_becomes_a_safe_one(sent: str) -> None:
    name = safe_filename(sent)
    assert name
    assert 0 < len(name.encode()) <= 200
    assert name.isprintable()
    assert not set(name) & set("/\\\0\ufffd")
    assert name not in {".", ".."}
    assert name == name.strip(". ")
    assert safe_filename(name) == name
    assert os.path.basename(os.path.normpath(os.path.join("/d", name))) == name


# --- what came -----------------------------------------------------------------------------------


@both_sizes
def test_the_content_can_be_read_as_a_file(content: bytes, spool: Path) -> None:
    upload = received(spool, content)
    assert upload.size == len(content)
    assert upload.read(3) == content[:3]
    assert upload.read() == content[3:]
    assert upload.read() == b""
    assert upload.file is upload.file
    upload.file.seek(0)
    assert upload.file.read() == content
    assert repr(upload) == f"<Upload 'x.txt' {len(content)} bytes>"
    upload.close()
    upload.close()


def test_big_content_waits_without_a_name_and_only_for_its_owner(spool: Path) -> None:
    upload = received(spool, BIG)
    assert list(spool.iterdir()) == []
    mode = os.fstat(upload._fd)
    assert stat.S_IMODE(mode.st_mode) == 0o600
    assert not os.get_inheritable(upload._fd)
    upload.close()


@both_sizes
def test_closing_leaves_nothing(content: bytes, spool: Path) -> None:
    before = descriptors()
    upload = received(spool, content)
    upload.read(1)
    upload.close()
    assert descriptors() == before
    assert list(spool.iterdir()) == []


def test_a_forgotten_upload_is_closed_with_its_object(spool: Path) -> None:
    before = descriptors()
    upload = received(spool, BIG)
    assert descriptors() != before
    del upload
    assert descriptors() == before


# --- save ----------------------------------------------------------------------------------------


@both_sizes
@pytest.mark.parametrize("overwrite", [False, True])
def test_save(content: bytes, overwrite: bool, spool: Path, kept: Path) -> None:
    upload = received(spool, content)
    upload.save(kept / "x.txt", overwrite)
    assert (kept / "x.txt").read_bytes() == content
    assert os.listdir(kept) == ["x.txt"]
    assert upload.read() == content  # and it can still be read
    upload.close()
    assert (kept / "x.txt").read_bytes() == content
    assert list(spool.iterdir()) == []


@pytest.mark.parametrize("overwrite", [False, True])
def test_saving_on_the_same_file_system_copies_nothing(
    overwrite: bool, spool: Path, kept: Path
) -> None:
    upload = received(spool, BIG)
    waiting = os.fstat(upload._fd)
    upload.save(kept / "x.txt", overwrite)
    saved = os.stat(kept / "x.txt")
    assert (saved.st_ino, saved.st_dev) == (waiting.st_ino, waiting.st_dev)
    assert saved.st_nlink == 1
    upload.close()


def test_after_a_name_that_was_taken_nothing_is_copied_either(spool: Path, kept: Path) -> None:
    (kept / "x.txt").write_bytes(b"old")
    upload = received(spool, BIG)
    with pytest.raises(FileExistsError):
        upload.save(kept / "x.txt")
    upload.save(kept / "x (2).txt")
    assert os.stat(kept / "x (2).txt").st_ino == os.fstat(upload._fd).st_ino
    assert (kept / "x.txt").read_bytes() == b"old"
    upload.close()


@both_sizes
def test_what_is_saved_twice_are_two_files(content: bytes, spool: Path, kept: Path) -> None:
    upload = received(spool, content)
    upload.save(kept / "a")
    upload.save(kept / "b")
    upload.save(kept / "a", overwrite=True)
    upload.close()
    assert (kept / "a").read_bytes() == (kept / "b").read_bytes() == content
    with open(kept / "a", "ab") as changed:
        changed.write(b"more")
    assert (kept / "b").read_bytes() == content
    assert sorted(os.listdir(kept)) == ["a", "b"]


@both_sizes
def test_across_file_systems_it_is_copied(content: bytes, spool: Path) -> None:
    elsewhere = other_file_system(spool)
    path = elsewhere / f"cgikit-test-{os.getpid()}"
    path.mkdir()
    try:
        upload = received(spool, content)
        upload.save(path / "x")
        with pytest.raises(FileExistsError):
            upload.save(path / "x")
        upload.save(path / "x", overwrite=True)
        assert (path / "x").read_bytes() == content
        assert os.listdir(path) == ["x"]
        upload.close()
    finally:
        for left in path.iterdir():
            left.unlink()
        path.rmdir()


def other_file_system(directory: Path) -> Path:
    """A writable directory on another file system than `directory`'s."""
    for candidate in map(Path, ("/dev/shm", "/run", "/var/tmp", "/tmp")):
        writable = candidate.is_dir() and os.access(candidate, os.W_OK)
        if writable and candidate.stat().st_dev != directory.stat().st_dev:
            return candidate
    return lack("a second file system that can be written, such as /dev/shm")


@both_sizes
def test_a_file_that_is_there_stays_unless_told(content: bytes, spool: Path, kept: Path) -> None:
    (kept / "x").write_bytes(b"old")
    before = os.stat(kept / "x")
    upload = received(spool, content)
    with pytest.raises(FileExistsError, match="overwrite=True") as caught:
        upload.save(kept / "x")
    assert caught.value.errno == errno.EEXIST
    assert caught.value.filename == str(kept / "x")
    assert not isinstance(caught.value, CGIError)
    assert (kept / "x").read_bytes() == b"old"
    assert os.stat(kept / "x").st_ino == before.st_ino
    assert os.listdir(kept) == ["x"]
    with open(kept / "x", "rb") as reader:  # who reads the old one goes on reading the old one
        upload.save(kept / "x", overwrite=True)
        assert reader.read() == b"old"
    assert (kept / "x").read_bytes() == content
    assert os.listdir(kept) == ["x"]
    upload.close()


@both_sizes
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_symbolic_link_is_never_written_through(
    content: bytes, overwrite: bool, spool: Path, kept: Path
) -> None:
    (kept / "victim").write_bytes(b"precious")
    for name in ("to-victim", "to-nothing"):
        (kept / name).symlink_to(kept / ("victim" if name == "to-victim" else "nothing"))
        upload = received(spool, content)
        if overwrite:
            upload.save(kept / name, overwrite=True)
            assert not (kept / name).is_symlink()
            assert (kept / name).read_bytes() == content
        else:
            with pytest.raises(FileExistsError):
                upload.save(kept / name)
        upload.close()
    assert (kept / "victim").read_bytes() == b"precious"
    assert not (kept / "nothing").exists()


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002, 0o000])
@both_sizes
@pytest.mark.parametrize("overwrite", [False, True])
def test_the_mode_is_what_the_umask_leaves(
    umask: int, content: bytes, overwrite: bool, spool: Path, kept: Path
) -> None:
    before = os.umask(umask)
    try:
        upload = received(spool, content)
        upload.save(kept / "x", overwrite)
        upload.close()
        assert os.umask(umask) == umask  # and it is left as it was
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.stat(kept / "x").st_mode) == 0o666 & ~umask


@both_sizes
def test_a_relative_path_is_one(
    content: bytes, spool: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(kept)
    upload = received(spool, content)
    upload.save("x")
    upload.save("y", overwrite=True)
    upload.close()
    assert (kept / "x").read_bytes() == (kept / "y").read_bytes() == content


# --- save fails ----------------------------------------------------------------------------------


@both_sizes
@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("missing/x", "No such file"),
        ("plain/x", "Not a directory"),
        ("n" * 256, "too long"),
    ],
)
def test_errors_name_the_path(
    content: bytes, overwrite: bool, path: str, reason: str, spool: Path, kept: Path
) -> None:
    (kept / "plain").write_bytes(b"")
    upload = received(spool, content)
    with pytest.raises(StorageError, match=reason) as caught:
        upload.save(kept / path, overwrite)
    assert isinstance(caught.value, OSError)
    assert caught.value.path == str(kept / path)
    assert str(kept) not in caught.value.message  # which is for the client
    assert caught.value.status == 500
    assert os.listdir(kept) == ["plain"]
    upload.save(kept / "x")  # nothing was lost
    assert (kept / "x").read_bytes() == content
    upload.close()


@pytest.mark.parametrize("path", ["{kept}", "{kept}/", "{kept}/sub", "", "{kept}/sub/..", "a\0b"])
def test_a_path_that_names_no_file_is_a_mistake(path: str, spool: Path, kept: Path) -> None:
    (kept / "sub").mkdir()
    upload = received(spool, SMALL)
    with pytest.raises(ValueError, match=r"directory|NUL") as caught:
        upload.save(path.format(kept=kept))
    assert not isinstance(caught.value, CGIError)
    assert os.listdir(kept) == ["sub"]
    upload.close()


#: An upload of 200 KiB, in a process that is not root, into the directory named first.
UNPRIVILEGED = """
import os, sys
from cgikit import StorageError, Upload
import cgikit.errors, cgikit.upload
spool, target = sys.argv[1:]
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
upload = Upload("x", "", spool)
try:
    upload.write(bytes(200_000))
    upload.save(target, overwrite=len(sys.argv) > 3)
except StorageError as error:
    print(error.path, error.reason, sep="|")
upload.close()
"""


@pytest.fixture
def open_to_all(tmp_path: Path) -> Iterator[Path]:
    """A directory that any user reaches; pytest's own are for the user who runs it."""
    path = Path(tempfile.mkdtemp(dir="/tmp"))
    path.chmod(0o755)
    for name, mode in (("spool", 0o777), ("read-only", 0o555)):
        (path / name).mkdir()
        (path / name).chmod(mode)
    yield path
    for name in ("spool", "read-only"):
        (path / name).chmod(0o700)
        for left in (path / name).iterdir():
            left.unlink()
        (path / name).rmdir()
    path.rmdir()


def test_a_directory_that_is_read_only(open_to_all: Path) -> None:
    target = open_to_all / "read-only" / "x"
    said = child(UNPRIVILEGED, str(open_to_all / "spool"), str(target))
    assert said.startswith(f"{target}|cannot save the upload: Permission denied; ")
    assert said.endswith(f"who must be able to write in {open_to_all / 'read-only'}\n")
    assert os.listdir(open_to_all / "read-only") == os.listdir(open_to_all / "spool") == []


def test_an_upload_directory_that_is_read_only(open_to_all: Path) -> None:
    spool = open_to_all / "read-only"
    said = child(UNPRIVILEGED, str(spool), str(open_to_all / "spool" / "x"))
    assert said.startswith(f"{spool}|cannot store an upload here: Permission denied; ")
    assert said.endswith(f"who must be able to write in {spool}\n")


def test_an_upload_directory_that_is_missing(tmp_path: Path) -> None:
    body = multipart(file("f", "x", BIG))
    """It is made as the directory of a counter is, one level: it was a 500, without a remedy."""
    request = post(body, upload_dir=tmp_path / "spool")
    assert request.files["f"].read() == BIG
    assert list((tmp_path / "spool").iterdir()) == []
    missing = tmp_path / "missing"
    told = (
        f"cannot make the upload directory: No such file or directory; make the directory {missing}"
    )
    with pytest.raises(StorageError, match=re.escape(told)) as caught:
        post(body, upload_dir=missing / "spool").form  # noqa: B018
    assert caught.value.path == str(missing / "spool")
    assert not missing.exists()
    request.close()  # a test that counts descriptors would see one less when it is collected


def test_a_temporary_directory_that_is_missing_is_not_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody named it to us: TMPDIR is the machine's."""
    missing = tmp_path / "tmp"
    monkeypatch.setenv("TMPDIR", str(missing))
    told = f"cannot store an upload here: No such file or directory; make the directory {missing} "
    with pytest.raises(StorageError, match=re.escape(told)):
        Upload("x").write(BIG)
    assert not missing.exists()


def test_what_waits_in_memory_needs_no_directory(tmp_path: Path) -> None:
    request = post(multipart(file("f", "x", SMALL)), upload_dir=tmp_path / "missing")
    assert request.files["f"].read() == SMALL


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with room for 128 KiB."""
    path = tmp_path / "small"
    path.mkdir()
    command = [need("mount"), "-t", "tmpfs", "-o", "size=128k", "cgikit-test", str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        lack(f"the right to mount a tmpfs ({done.stderr.strip()})")
    yield path
    subprocess.run([need("umount"), str(path)], check=True)


def test_a_full_disk_while_receiving(small_disk: Path) -> None:
    before = descriptors()
    body = multipart(file("a", "1", bytes(70_000)), file("f", "x", bytes(1 << 20)))
    with pytest.raises(StorageError, match="cannot store an upload: No space left") as caught:
        post(body, upload_dir=small_disk).form  # noqa: B018
    assert caught.value.path == str(small_disk)
    assert descriptors() == before
    assert list(small_disk.iterdir()) == []
    assert os.statvfs(small_disk).f_bfree == os.statvfs(small_disk).f_blocks


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_full_disk_while_saving(overwrite: bool, small_disk: Path, spool: Path) -> None:
    (small_disk / "x").write_bytes(b"old")
    upload = received(spool, BIG)
    target = small_disk / ("x" if overwrite else "y")
    with pytest.raises(StorageError, match="cannot save the upload: No space left") as caught:
        upload.save(target, overwrite)
    assert caught.value.path == str(target)
    assert os.listdir(small_disk) == ["x"]
    assert (small_disk / "x").read_bytes() == b"old"
    upload.save(spool / "kept")
    assert (spool / "kept").read_bytes() == BIG
    upload.close()


# --- where files without a name do not exist -----------------------------------------------------

NAMED = """
import os, stat, sys
del os.O_TMPFILE
from cgikit import Upload
spool, target, way = sys.argv[1:]
upload = Upload("x", "", spool)
for _ in range(20):
    upload.write(bytes(10_000))
(name,) = os.listdir(spool)
waiting = os.stat(os.path.join(spool, name))
assert waiting.st_size == 200_000 and stat.S_IMODE(waiting.st_mode) == 0o600
if way == "close":
    upload.close()
elif way == "forget":
    del upload
elif way == "twice":
    upload.save(target)
    upload.save(target + "2")
    assert os.stat(target).st_ino == waiting.st_ino != os.stat(target + "2").st_ino
    upload.close()
elif way == "tidied":
    os.unlink(os.path.join(spool, name))
    upload.save(target)
    upload.close()
else:
    upload.save(target, overwrite=way == "overwrite")
    assert os.stat(target).st_ino == waiting.st_ino
    assert len(upload.read()) == 200_000
    upload.close()
"""


@pytest.mark.parametrize("way", ["close", "forget", "save", "overwrite", "twice", "tidied"])
def test_files_with_a_name_do_where_there_are_none_without(
    way: str, spool: Path, kept: Path
) -> None:
    child(NAMED, str(spool), str(kept / "x"), way)
    assert os.listdir(spool) == []
    saved = {"close": [], "forget": [], "twice": ["x", "x2"]}.get(way, ["x"])
    assert sorted(os.listdir(kept)) == saved
    assert all((kept / name).read_bytes() == bytes(200_000) for name in saved)
    assert all(os.stat(kept / name).st_nlink == 1 for name in saved)


def test_a_request_that_fails_leaves_no_named_file_either(spool: Path) -> None:
    body = multipart(file("a", "1", BIG), file("b", "2", BIG))[:-100]
    code = f"""
import io, os
del os.O_TMPFILE
from cgikit import BadRequest, Request
body = {len(body)} * b"x"
environ = {environ(body, MULTIPART)!r}
import sys
request = Request(environ, sys.stdin.buffer, upload_dir=sys.argv[1])
try:
    request.form
except BadRequest:
    print("refused", os.listdir(sys.argv[1]))
"""
    assert child(code, str(spool), stdin=body) == "refused []\n"


def test_a_process_that_is_killed_leaves_nothing(spool: Path) -> None:
    body = multipart(file("a", "1", BIG), file("b", "2", BIG))
    code = """
import sys
from cgikit import Request
def progress(received, total):
    if received >= total // 2:
        print("half", flush=True)
Request(upload_dir=sys.argv[1], progress=progress).form
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(spool)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**clean_environ(), **environ(body, MULTIPART)},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process.stdin, process.stdout:
        process.stdin.write(body[:-10])
        process.stdin.flush()
        assert process.stdout.readline() == b"half\n"
        targets = [os.readlink(link) for link in Path(f"/proc/{process.pid}/fd").iterdir()]
        assert any(target.startswith(str(spool)) for target in targets)  # it is in the middle of it
        process.send_signal(signal.SIGKILL)
        assert process.wait(30) == -signal.SIGKILL
    assert list(spool.iterdir()) == []


# --- progress ------------------------------------------------------------------------------------


def test_progress_grows_and_ends_at_the_total(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []

    def page(request: Request) -> str:
        assert seen == []
        return str(len(request.files))

    client = Client(page, upload_dir=str(tmp_path), progress=lambda *now: seen.append(now))
    assert client.post(files={"f": bytes(2 << 20), "g": SMALL}).text == "2"
    counts = [count for count, _ in seen]
    assert counts == sorted(set(counts))
    assert len(counts) > 5
    [total] = {total for _, total in seen}
    assert seen[-1] == (total, total)
    assert total > (2 << 20) + len(SMALL)


def test_a_progress_hook_that_fails_ends_the_upload_cleanly(tmp_path: Path) -> None:
    body = multipart(file("f", "x", bytes(1 << 20)))
    before = descriptors()

    def progress(received: int, total: int) -> None:
        if received > total // 2:
            raise KeyboardInterrupt

    request = Request(
        environ(body, MULTIPART), io.BytesIO(body), upload_dir=str(tmp_path), progress=progress
    )
    with pytest.raises(KeyboardInterrupt):
        request.files  # noqa: B018
    assert descriptors() == before
    assert list(tmp_path.iterdir()) == []


#: An upload whose process waits to be killed; with `seam`, where files must have names.
WAITING = """
import os, sys, time
if {seam}:
    del os.O_TMPFILE
from cgikit import Upload
upload = Upload("x", "", sys.argv[1])
upload.write(bytes(200_000))
print("waits", flush=True)
sys.stdin.read()
"""


def killed(spool: Path, *tool: str, seam: bool = True) -> list[str]:
    """Kill a process that has an upload waiting; return the names that it leaves."""
    with subprocess.Popen(
        [*tool, sys.executable, "-c", WAITING.format(seam=seam), str(spool)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=clean_environ(),
        process_group=0,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"waits\n"
        os.killpg(process.pid, signal.SIGKILL)
    return os.listdir(spool)


def named_upload(spool: Path, monkeypatch: pytest.MonkeyPatch) -> Upload:
    monkeypatch.delattr(os, "O_TMPFILE")
    upload = Upload("x", "", str(spool))
    upload.write(BIG)
    return upload


def test_1_17_what_a_killed_process_left_goes_with_the_next_upload(
    spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (orphan,) = killed(spool)
    upload = named_upload(spool, monkeypatch)
    assert orphan not in os.listdir(spool)
    assert len(os.listdir(spool)) == 1
    upload.close()
    assert os.listdir(spool) == []


@pytest.mark.parametrize("error", ["EOPNOTSUPP", "EISDIR", "EINVAL"])
def test_1_17_the_same_where_the_system_really_refuses(spool: Path, error: str) -> None:
    """By strace, which refuses O_TMPFILE as FUSE and NFS do: the first open of `spool`."""
    strace = [need("strace"), "-f", "-qq", "-o", str(spool.parent / "trace"), "-P", str(spool)]
    strace += ["-e", "trace=openat", "-e", f"inject=openat:error={error}:when=1"]
    for _ in range(3):
        left = killed(spool, *strace, seam=False)
        assert len(left) == 1  # that of the last one: each has cleared its predecessor's
        assert left[0].endswith(".waiting")
    assert "O_TMPFILE" in (spool.parent / "trace").read_text().splitlines()[0]


def test_what_waits_in_another_process_stays(spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WAITING.format(seam=True), str(spool)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=clean_environ(),
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"waits\n"
        (theirs,) = os.listdir(spool)
        upload = named_upload(spool, monkeypatch)
        assert theirs in os.listdir(spool)
        upload.close()
        assert os.listdir(spool) == [theirs]
        process.communicate(timeout=60)
    assert os.listdir(spool) == []


def test_only_waiting_files_are_taken_for_orphans(
    spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [
        "x", ".x.waiting", f".{'a' * 24}.upload", f"{'a' * 25}.waiting", f".{'a' * 25}.waiting",
        f".{'a' * 23}.waiting", f".{'a' * 24}.waiting2",
    ]  # fmt: skip
    for name in names:
        (spool / name).touch()
    os.mkfifo(spool / f".{'b' * 24}.waiting")
    (spool / f".{'c' * 24}.waiting").mkdir()
    (spool / f".{'d' * 24}.waiting").symlink_to("x")
    before = sorted(os.listdir(spool))
    named_upload(spool, monkeypatch).close()
    assert sorted(os.listdir(spool)) == before


def test_where_files_cannot_be_locked_age_tells(
    spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(fd: int, operation: int) -> None:
        raise OSError(errno.EOPNOTSUPP, "no locks here")

    monkeypatch.setattr(fcntl, "flock", refused)
    young, old = spool / f".{'a' * 24}.waiting", spool / f".{'b' * 24}.waiting"
    for path in (young, old):
        path.touch()
    os.utime(old, (1, 1))
    upload = named_upload(spool, monkeypatch)
    assert young.exists()
    assert not old.exists()
    upload.close()
    assert os.listdir(spool) == [young.name]


def test_one_that_is_cleared_before_it_is_locked_is_made_again(
    spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, cleared = fcntl.flock, []

    def late(fd: int, operation: int) -> None:
        if not cleared:  # somebody else was there first
            cleared.append(os.readlink(f"/proc/self/fd/{fd}"))
            os.unlink(cleared[0])
        real(fd, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    upload = named_upload(spool, monkeypatch)
    assert len(os.listdir(spool)) == len(cleared) == 1
    upload.save(spool / "kept")
    upload.close()
    assert os.listdir(spool) == ["kept"]


def test_a_forked_child_does_not_remove_its_parents_upload(
    spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = named_upload(spool, monkeypatch)
    pid = os.fork()
    if not pid:
        upload.close()
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    assert len(os.listdir(spool)) == 1
    upload.close()
    assert os.listdir(spool) == []


@pytest.mark.parametrize("size", [100, 200_000])
@pytest.mark.parametrize("overwrite", [False, True])
def test_1_17_a_process_that_is_killed_while_it_saves_leaves_no_copy(
    spool: Path, kept: Path, size: int, overwrite: bool
) -> None:
    """A copy has no name until it is whole."""
    code = f"""
import os, sys
from cgikit import Upload
import cgikit.upload
upload = Upload("x", "", sys.argv[1])
upload.write(bytes({size}))
upload._linked = True  # so that it must be copied, as between file systems
real = os.fchmod
def halt(fd, mode):
    os.kill(os.getpid(), 9)
os.fchmod = halt
upload.save(sys.argv[2], overwrite={overwrite})
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(spool), str(kept / "x")], env=clean_environ()
    )
    assert done.returncode == -signal.SIGKILL
    assert os.listdir(spool) == os.listdir(kept) == []


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("content", [SMALL, BIG])
def test_without_proc_a_copy_has_a_name_and_is_kept_whole(
    content: bytes, overwrite: bool, spool: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.link

    def link(source: str, *words: object, **options: object) -> None:
        if str(source).startswith("/proc"):
            raise OSError(errno.ENOENT, "no /proc here")
        real(source, *words, **options)

    monkeypatch.setattr(os, "link", link)
    upload = received(spool, content)
    upload.save(kept / "x", overwrite)
    if overwrite:
        upload.save(kept / "x", overwrite)
    else:
        with pytest.raises(FileExistsError):
            upload.save(kept / "x")
    assert os.listdir(kept) == ["x"]
    assert (kept / "x").read_bytes() == content
    upload.close()
    assert os.listdir(spool) == []
