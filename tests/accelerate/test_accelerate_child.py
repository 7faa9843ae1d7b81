"""`cgikit.accelerate.child`: what a child does with messages that no honest front sends."""

import os
import signal
import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from accelerating import Site
from serving import until

from cgikit.accelerate import message

SCRIPT = "import os; print('Content-Type: x/y\\n\\n', os.getpid())"


@pytest.fixture
def warm(site: Site) -> Site:
    """A site with a daemon."""
    site.script("one.py", SCRIPT)
    assert site.accelerate("one.py").returncode == 0
    site.warm("one.cgi")
    return site


@contextmanager
def connection(site: Site) -> Iterator[socket.socket]:
    """A connection of the scripts' user to the daemon."""
    parent, theirs = socket.socketpair(socket.AF_UNIX)
    pid = os.fork()
    if not pid:
        try:
            parent.close()
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(12_345)
                os.setuid(12_345)
            made = socket.socket(socket.AF_UNIX)
            made.connect(str(site.place / "s"))
            socket.send_fds(theirs, [b"x"], [made.fileno()])
            made.close()
            theirs.recv(1)  # a child looks at the limits of the process that has connected
        finally:
            os._exit(0)
    theirs.close()
    with parent:
        _, fds, _, _ = socket.recv_fds(parent, 1, 1)
        try:
            with socket.socket(fileno=fds[0]) as sock:
                sock.settimeout(60)
                yield sock
        finally:
            parent.close()
            os.waitpid(pid, 0)


def whole(site: Site, **changes: bytes) -> bytes:
    values = {"script": os.fsencode(site.folder / "one.py"), "directory": os.fsencode(site.folder)}
    values |= {"environment": b"PATH=/usr/bin:/bin\0", **changes}
    return message.pack(values["script"], values["directory"], 0o22, [], values["environment"])


def sent(sock: socket.socket, data: bytes, fds: list[int]) -> bytes:
    """The child's answer to a message."""
    assert sock.recv(2) == b"H\n"
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack(f"{len(fds)}i", *fds))]
    sock.sendmsg([data], rights if fds else [])
    return sock.recv(400)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"script": b"/bin/true"}, b"D the working directory is not the script's\n"),
        ({"script": b"/bin/true", "directory": b"/bin"}, b"D it is not among the scripts"),
        ({"directory": b"/"}, b"D the working directory is not the script's\n"),
        ({"environment": b"PATH=/nowhere\0"}, b"D PATH is not as it was"),
    ],
)
def test_what_must_not_run_here_is_refused(
    warm: Site, changes: dict[str, bytes], said: bytes
) -> None:
    with connection(warm) as sock, open(os.devnull, "r+b") as null:
        assert sent(sock, whole(warm, **changes), [null.fileno()] * 3).startswith(said)
        assert sock.recv(400) in {b"", b"E 0\n"}


@pytest.mark.parametrize("count", [0, 2, 4])
def test_three_descriptors_are_expected(warm: Site, count: int) -> None:
    with connection(warm) as sock, open(os.devnull, "r+b") as null:
        answer = sent(sock, whole(warm), [null.fileno()] * count)
        assert answer.startswith(b"D the message came with %d descriptors, not 3\n" % count)


@pytest.mark.parametrize("data", [b"\xff" * 8, b"\0\0\0\5hello", b"\0\0\0\0"])
def test_what_is_no_message_is_refused(warm: Site, data: bytes) -> None:
    with connection(warm) as sock:
        assert sent(sock, data, []).startswith(b"D ")


def test_many_that_say_nothing_hold_up_nobody(warm: Site) -> None:
    with ExitStack() as stack:
        for _ in range(40):
            stack.enter_context(connection(warm))
        assert warm.warm_request("one.cgi").returncode == 0


def test_nothing_runs_before_go(warm: Site) -> None:
    with connection(warm) as sock, open(os.devnull, "rb") as null:
        reader, writer = os.pipe()  # now: the process that has connected must not have them
        answer = sent(sock, whole(warm), [null.fileno(), writer, writer])
        os.close(writer)
        word, pid, front = answer.split()
        assert (word, Path(f"/proc/{int(pid)}").exists()) == (b"R", True)
        assert int(front) > 0
        os.set_blocking(reader, False)
        with pytest.raises(BlockingIOError):
            os.read(reader, 1)
        # The front goes away without a word
    assert until(lambda: not Path(f"/proc/{int(pid)}").exists())
    assert os.read(reader, 1) == b""
    os.close(reader)


def test_a_child_that_is_killed_before_go_is_no_run(warm: Site) -> None:
    with connection(warm) as sock, open(os.devnull, "rb") as null:
        reader, writer = os.pipe()  # now: the process that has connected must not have them
        answer = sent(sock, whole(warm), [null.fileno(), writer, writer])
        os.close(writer)
        os.kill(int(answer.split()[1]), signal.SIGKILL)
        assert sock.recv(400) == b"K 9\n"
        assert os.read(reader, 1) == b""
    os.close(reader)


def test_after_go_the_script_runs_once(warm: Site) -> None:
    with connection(warm) as sock, open(os.devnull, "rb") as null:
        reader, writer = os.pipe()  # now: the process that has connected must not have them
        answer = sent(sock, whole(warm), [null.fileno(), writer, writer])
        os.close(writer)
        sock.send(b"G")
        assert sock.recv(400).startswith(b"E 0\n")
        with open(reader, "rb") as output:
            assert output.read() == b"Content-Type: x/y\n\n " + answer.split()[1] + b"\n"
