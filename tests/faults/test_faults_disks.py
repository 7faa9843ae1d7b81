"""F: real full disks, real short writes, read-only ones, and directories that are not ours.

On small file systems in memory that the test mounts; skipped by name where it may not.
"""

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from faults.kinds import SAVES, content
from requirement import lack, need
from serving import serve

from cgikit import Counter, StorageError, append_line, atomic_write

NOBODY = 65_534


@contextmanager
def disk(tmp_path: Path, options: str) -> Iterator[Path]:
    """Mount a small file system in memory."""
    if os.geteuid():
        lack("root, to mount a small file system")
    place = tmp_path / "disk"
    place.mkdir()
    mount = [need("mount"), "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        lack(f"the right to mount: {done.stderr}")
    try:
        yield place
    finally:
        subprocess.run([need("umount"), str(place)], check=True)


def fill(place: Path, leave: int = 0) -> Path:
    """Fill a file system up to the last byte but `leave`."""
    filler = place / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 4096)
    assert os.statvfs(place).f_bavail == 0
    os.truncate(filler, filler.stat().st_size - leave)
    return filler


def names(place: Path) -> set[str]:
    return {path.name for path in place.rglob("*") if path.is_file()}


#: What finds its room in the page that the file has, or in an orphan that it removes.
FRUGAL = {
    *("append", "append to a cut line", "count hot", "count hot and durably"),
    *("count for a while", "count for a while and durably"),
    *("take lines", "take lines durably"),
    *(name for name, kind in SAVES.items() if kind.orphan),
}


@pytest.mark.parametrize("name", [name for name in SAVES if name not in FRUGAL])
def test_f_a_full_disk_keeps_the_old_content(tmp_path: Path, name: str) -> None:
    kind = SAVES[name]
    with disk(tmp_path, "size=512k") as place:
        path = kind.prepare(str(place))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        filler = fill(place)
        for _ in range(3):
            with pytest.raises(StorageError, match=r"No space left.*free some space") as caught:
                kind.save(path)
            assert caught.value.path.startswith(str(place))
            assert kind.is_whole(content(path))
            assert content(path) != kind.new
            assert names(place) <= {"state", "state.lock", "filler"}
        filler.unlink()
        kind.save(path)
        assert content(path) == kind.new
        assert names(place) <= {"state", "state.lock"}


@pytest.mark.parametrize("name", sorted(FRUGAL))
def test_f_what_needs_no_room_goes_on_when_the_disk_is_full(tmp_path: Path, name: str) -> None:
    with disk(tmp_path, "size=512k") as place:
        path = SAVES[name].prepare(str(place))
        fill(place)
        SAVES[name].save(path)
        assert content(path) == SAVES[name].new


def test_f_a_true_short_write_is_taken_back(tmp_path: Path) -> None:
    with disk(tmp_path, "size=64k") as place:
        path = place / "state"
        append_line(path, "one")
        fill(place, leave=8192)
        for _ in range(2):
            with pytest.raises(StorageError, match="No space left"):
                append_line(path, "x" * 20_000)  # two pages of it fit
            assert path.read_bytes() == b"one\n"
            with pytest.raises(StorageError, match="No space left"):
                atomic_write(path, b"x" * 20_000)
            with pytest.raises(StorageError, match="No space left"):
                atomic_write(path, lambda file: file.write(b"x" * 20_000))
            assert path.read_bytes() == b"one\n"
        append_line(path, "x" * 8_000)  # and what was taken back is free again
        assert path.read_bytes() == b"one\n" + b"x" * 8_000 + b"\n"
        assert names(place) == {"state", "state.lock", "filler"}


def test_f_no_inodes_left(tmp_path: Path) -> None:
    with disk(tmp_path, "size=64k,nr_inodes=4") as place:  # the directory itself, and three files
        counter = Counter(place / "state")
        assert counter.increment() == 1
        (place / "filler").touch()
        for _ in range(3):
            with pytest.raises(StorageError, match=r"No space left.*inodes"):
                counter.increment()
            with pytest.raises(StorageError, match=r"No space left.*inodes"):
                append_line(place / "lines", "x")
        assert counter.value == 1
        (place / "filler").unlink()
        assert counter.increment() == 2
        assert names(place) == {"state", "state.lock"}


@pytest.mark.parametrize("name", SAVES)
def test_f_a_file_system_that_turns_read_only(tmp_path: Path, name: str) -> None:
    kind = SAVES[name]
    with disk(tmp_path, "size=512k") as place:
        path = kind.prepare(str(place))
        os.close(os.open(f"{path}.lock", os.O_CREAT)) if not kind.subdirectory else None
        remount = [need("mount"), "-o", "remount,ro", str(place)]
        subprocess.run(remount, check=True)
        before = names(place)
        with pytest.raises(StorageError, match=r"Read-only file system.*mounted read-only"):
            kind.save(path)
        assert content(path) == kind.old
        assert names(place) == before


@pytest.mark.parametrize("name", SAVES)
def test_f_a_directory_where_others_may_not_write(tmp_path: Path, name: str) -> None:
    if os.geteuid():
        lack("root, to become another user")
    kind = SAVES[name]
    place = tmp_path / "place"
    place.mkdir()
    path = kind.prepare(str(place))
    before = names(place)
    place.chmod(0o755)
    reader, report = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.chdir(place)  # while its parents can still be entered
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            try:
                kind.save(os.path.relpath(path, place))
                os.write(report, b"saved")
            except StorageError as error:
                os.write(report, str(error).encode())
        finally:
            os._exit(0)
    os.close(report)
    os.waitpid(pid, 0)
    with open(reader, encoding="utf-8") as file:
        said = file.read()
    assert "Permission denied; " in said
    assert f"{place} is of user 0 (root), group 0, mode 0755; the script runs as user 65534" in said
    assert f"must be able to write in {place}" in said
    assert content(path) == kind.old
    assert names(place) == before


POST = "POST /%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"


def answer(port: int, request: bytes) -> bytes:
    """Send a request; all that comes back until the connection ends, if by a reset."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with suppress(OSError):
            client.sendall(request)
        received = b""
        with suppress(ConnectionResetError):
            while data := client.recv(65_536):
                received += data
        return received


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_f_no_room_for_a_body_is_not_the_clients_fault(tmp_path: Path, chunked: bool) -> None:
    """It was a 400 "the body ended after …", and a traceback on the console."""
    scripts, size = Path(__file__).parents[1] / "scripts", 1 << 20
    head = (POST % ("count.py", size)).encode()
    body = bytes(size)
    if chunked:
        head = head.replace(b"Content-Length: %d" % size, b"Transfer-Encoding: chunked")
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (size, body)
    with (
        disk(tmp_path, "size=4m") as place,
        serve(scripts, environment={"TMPDIR": str(place)}) as server,
    ):
        assert answer(server.port, head + body).startswith(b"HTTP/1.1 200 ")
        filler = fill(place)
        seen = len(server.lines)
        assert answer(server.port, head + body).startswith(b"HTTP/1.1 507 Insufficient Storage\r\n")
        server.wait_for("^POST /count.py 507 ", seen)
        told = [line for line in server.lines[seen:] if not line.startswith("POST ")]
        assert len(told) == 1
        assert str(place) in told[0]
        assert "No space left" in told[0]
        assert "TMPDIR" in told[0]
        filler.unlink()
        assert answer(server.port, head + body).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("leave", [0, 200_000], ids=["no room", "some room"])
def test_f_no_room_for_what_waits_for_a_slow_client_cuts_the_answer(
    tmp_path: Path, leave: int
) -> None:
    """Not a byte of what comes is out of its place, and the part does not pass for the whole."""
    root = tmp_path / "scripts"
    root.mkdir()
    script = root / "count.sh"
    script.write_text("#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\nexec seq 1000000\n")
    script.chmod(0o755)
    with (
        disk(tmp_path, "size=4m") as place,
        serve(root, environment={"TMPDIR": str(place)}) as server,
    ):
        # So that it has chosen the directory before that is full
        assert answer(server.port, (POST % ("", 1 << 20)).encode() + bytes(1 << 20))
        fill(place, leave)
        seen = len(server.lines)
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.settimeout(60)
            client.connect(("127.0.0.1", server.port))
            client.sendall(b"GET /count.sh HTTP/1.0\r\nHost: localhost\r\n\r\n")
            server.wait_for(f"{place} cannot hold what waits", seen)  # nothing is read until then
            received, reset = b"", False
            try:
                while data := client.recv(65_536):
                    received += data
            except ConnectionResetError:
                reset = True
        lines = received.partition(b"\r\n\r\n")[2].split(b"\n")[:-1]
        assert lines == [b"%d" % number for number in range(1, len(lines) + 1)]
        assert reset
        server.wait_for("^GET /count.sh 200 ", seen)
        assert answer(server.port, b"GET / HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.0 200 ")
