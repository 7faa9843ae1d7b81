"""Sockets, real ones: for whom they are (S25), what is replaced, what never is, what is handed over."""

import os
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from requirement import need_address

from cgikit.gateway.listener import (
    ListenError,
    allowed_peers,
    inherited,
    is_allowed,
    is_listening,
    listen,
    split_address,
)


def dead_socket(path: Path) -> None:
    """Leave the file that a process which is no more has listened at."""
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(path))
    left.close()


def reaches(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(path))
        except OSError:
            return False
        return True


# --- UNIX ---------------------------------------------------------------------------------------


def test_a_socket_can_be_connected_to_and_is_gone_after_remove(tmp_path: Path) -> None:
    listener = listen(str(tmp_path / "s"))
    assert reaches(tmp_path / "s")
    assert listener.address == str(tmp_path / "s")
    listener.remove()
    listener.remove()
    assert os.listdir(tmp_path) == []


def test_closing_leaves_the_file_to_the_other_processes(tmp_path: Path) -> None:
    listener = listen(str(tmp_path / "s"))
    listener.close()
    assert os.listdir(tmp_path) == ["s"]


@pytest.mark.parametrize("mode", [0o600, 0o660, 0o666])
@pytest.mark.parametrize("umask", [0, 0o077])
def test_the_mode_is_the_one_asked_for(tmp_path: Path, mode: int, umask: int) -> None:
    before = os.umask(umask)
    try:
        listener = listen(str(tmp_path / "s"), mode=mode)
        assert os.umask(umask) == umask
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.lstat(tmp_path / "s").st_mode) == mode
    listener.remove()


def test_the_mode_is_there_when_the_file_appears(tmp_path: Path) -> None:
    """Watched by the system call: the file is made with its mode, and nothing changes it later."""
    code = "from cgikit.gateway.listener import listen; listen('s').remove()"
    hook = (
        "import os, sys, stat\n"
        "def seen(event, args):\n"
        "    if event == 'socket.bind': sys.stderr.write('umask %o\\n' % umask())\n"
        "    if event in ('os.chmod', 'os.fchmod'): sys.stderr.write('changed later\\n')\n"
        "def umask():\n    now = os.umask(0); os.umask(now); return now\n"
        "sys.addaudithook(seen)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", hook + code], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "umask 177\n")


def test_a_relative_path_is_removed_from_wherever(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    listener = listen("s")
    monkeypatch.chdir("/")
    listener.remove()
    assert os.listdir(tmp_path) == []


def test_a_dead_socket_is_replaced(tmp_path: Path) -> None:
    dead_socket(tmp_path / "s")
    assert not reaches(tmp_path / "s")
    with listen(str(tmp_path / "s")):
        assert reaches(tmp_path / "s")


def test_a_live_socket_is_left_alone(tmp_path: Path) -> None:
    with listen(str(tmp_path / "s")):
        with pytest.raises(ListenError, match=f"another process listens at {tmp_path}/s"):
            listen(str(tmp_path / "s"))
        assert reaches(tmp_path / "s")


def test_a_live_socket_with_a_full_queue_is_left_alone(tmp_path: Path) -> None:
    with listen(str(tmp_path / "s"), backlog=0):
        waiting = socket.socket(socket.AF_UNIX)
        waiting.connect(str(tmp_path / "s"))
        with pytest.raises(ListenError, match="another process listens"):
            listen(str(tmp_path / "s"))
        waiting.close()


@pytest.mark.parametrize("kind", ["file", "directory", "link to a file", "link to a dead socket"])
def test_what_is_no_socket_is_left_alone(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "s"
    if kind == "file":
        path.write_text("mine")
    elif kind == "directory":
        path.mkdir()
    elif kind == "link to a file":
        (tmp_path / "t").write_text("mine")
        path.symlink_to("t")
    else:
        dead_socket(tmp_path / "t")
        path.symlink_to("t")
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(ListenError, match="exists and is not a socket: choose another path"):
        listen(str(path))
    assert sorted(os.listdir(tmp_path)) == before


def test_another_process_s_socket_is_not_removed(tmp_path: Path) -> None:
    first = listen(str(tmp_path / "s"))
    (tmp_path / "s").unlink()
    with listen(str(tmp_path / "s")):
        first.remove()
        assert reaches(tmp_path / "s")


def test_of_many_that_start_at_once_one_listens(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    for _ in range(20):
        dead_socket(tmp_path / "s")
        start = threading.Barrier(4)
        results = []

        def one(start: threading.Barrier = start, results: list = results) -> None:
            start.wait()
            try:
                results.append(listen(path))
            except ListenError as error:
                results.append(error)

        threads = [threading.Thread(target=one) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        listening = [result for result in results if isinstance(result, socket.socket)]
        assert len(listening) == 1, results
        assert reaches(tmp_path / "s")
        listening[0].remove()


def test_what_cannot_be_says_so(tmp_path: Path) -> None:
    with pytest.raises(ListenError, match=r"cannot listen at .*/no/s: No such file or directory"):
        listen(str(tmp_path / "no" / "s"))
    with pytest.raises(ListenError, match="longer than the 107 bytes of a UNIX socket"):
        listen(str(tmp_path / ("s" * 108)))
    with pytest.raises(ListenError, match="is not a valid mode"):
        listen(str(tmp_path / "s"), mode=0o1777)
    assert os.listdir(tmp_path) == []


# --- TCP ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.9.9.9", "localhost", "[::1]", "::1", "[0:0:0:0:0:0:0:1]"]
)
def test_a_port_of_this_machine(host: str) -> None:
    need_address(host.strip("[]"))
    with listen(f"{host}:0") as listener:
        with socket.create_connection(listener.getsockname()[:2]):
            pass
        port = listener.getsockname()[1]
        assert listener.address.endswith(f":{port}")
        assert listener.address.startswith("[::1]:") is (":" in host)
        with pytest.raises(
            ListenError, match=rf"cannot listen at .*:{port}: Address already in use"
        ):
            listen(listener.address)


@pytest.mark.parametrize(
    "host",
    ["0.0.0.0", "192.0.2.1", "[::]", "[2001:db8::1]", "[::ffff:192.0.2.1]", "[::2]", "[fe80::1]"],
)
def test_other_addresses_must_be_asked_for(host: str) -> None:
    with pytest.raises(ListenError, match="give --public"):
        listen(f"{host}:0")


def test_asked_for_in_so_many_words_it_is_done() -> None:
    with listen("0.0.0.0:0", public=True) as listener:
        assert listener.getsockname()[0] == "0.0.0.0"


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("/run/cgikit.sock", ("/run/cgikit.sock", None)),
        ("app.sock", ("app.sock", None)),
        ("/odd:80", ("/odd:80", None)),
        ("127.0.0.1:9000", ("127.0.0.1", 9000)),
        ("localhost:0", ("localhost", 0)),
        ("[::1]:9000", ("::1", 9000)),
    ],
)
def test_addresses(address: str, parts: tuple[str, int | None]) -> None:
    assert split_address(address) == parts


@pytest.mark.parametrize("address", ["", "9000", ":9000", "h:", "h:x", "h:65536", "h:-1", "h:²"])
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(ListenError, match="is not a valid address: give the path of a UNIX socket"):
        split_address(address)


# --- handed over --------------------------------------------------------------------------------

TELL = (
    "import os; from cgikit.gateway.listener import inherited, ListenError\n"
    "try: found = inherited()\n"
    "except ListenError as error: print(error.strerror)\n"
    "else: print(found and (found.fileno(), found.address, found.get_inheritable()))\n"
    "print(sorted(name for name in os.environ if name.startswith('LISTEN')))\n"
)


def tell(*, stdin: object = subprocess.DEVNULL, systemd: str = "", descriptor: int = -1) -> str:
    """What `inherited` says in a process that has `descriptor` as its 3, and systemd's variables."""
    start = "import os\n"
    if descriptor >= 0:
        start += f"os.dup2({descriptor}, 3)\n"
    if systemd:
        start += f"os.environ['LISTEN_PID'] = str({systemd.split()[0]})\n"
        start += f"os.environ['LISTEN_FDS'] = '{systemd.split()[1]}'\n"
        start += "os.environ['LISTEN_FDNAMES'] = 'web'\n"
    done = subprocess.run(
        [sys.executable, "-c", start + TELL],
        stdin=stdin,  # type: ignore[call-overload]
        capture_output=True,
        text=True,
        pass_fds=[descriptor] if descriptor >= 0 else [],
    )
    assert done.stderr == ""
    return done.stdout


def test_a_listening_standard_input_is_taken(tmp_path: Path) -> None:
    with listen(str(tmp_path / "s")) as listener:
        assert tell(stdin=listener) == f"(0, '{tmp_path}/s', True)\n[]\n"
    with listen("127.0.0.1:0") as listener:
        assert tell(stdin=listener) == f"(0, '{listener.address}', True)\n[]\n"


def test_other_standard_inputs_are_not(tmp_path: Path) -> None:
    assert tell() == "None\n[]\n"
    assert tell(stdin=subprocess.PIPE) == "None\n[]\n"
    left, right = socket.socketpair()
    with left, right:
        assert tell(stdin=left) == "None\n[]\n"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagrams:
        assert tell(stdin=datagrams) == "None\n[]\n"


def test_systemd_s_socket_is_taken_and_its_variables_with_it(tmp_path: Path) -> None:
    with listen(str(tmp_path / "s")) as listener:
        told = tell(systemd="os.getpid() 1", descriptor=listener.fileno())
    assert told == f"(3, '{tmp_path}/s', False)\n[]\n"


def test_systemd_s_socket_for_another_process_is_not(tmp_path: Path) -> None:
    with listen(str(tmp_path / "s")) as listener:
        told = tell(systemd="os.getppid() 1", descriptor=listener.fileno())
    assert told == "None\n['LISTEN_FDNAMES', 'LISTEN_FDS', 'LISTEN_PID']\n"


def test_systemd_must_hand_over_one_listening_socket(tmp_path: Path) -> None:
    with listen(str(tmp_path / "s")) as listener:
        told = tell(systemd="os.getpid() 2", descriptor=listener.fileno())
    assert told == "systemd passed 2 sockets; exactly one is needed\n[]\n"
    with open(os.devnull) as null:
        told = tell(systemd="os.getpid() 1", descriptor=null.fileno())
    assert told == "systemd did not pass a listening stream socket: use ListenStream=\n[]\n"


def test_looking_changes_nothing(tmp_path: Path) -> None:
    with listen(str(tmp_path / "s")) as listener:
        assert is_listening(listener.fileno())
        assert is_listening(listener.fileno())
        assert reaches(tmp_path / "s")
    assert not is_listening(10_000)
    assert inherited({"LISTEN_PID": "1", "LISTEN_FDS": "1"}) is None


# --- who may connect ----------------------------------------------------------------------------


def test_web_servers_are_those_that_were_named() -> None:
    assert allowed_peers("") is None
    assert allowed_peers("192.0.2.1, ::1") == {"192.0.2.1", "::1"}
    assert allowed_peers("[::1],0:0::0001,2001:DB8::0:1") == {"::1", "2001:db8::1"}
    assert allowed_peers("::ffff:192.0.2.1,fe80::1%lo,a:b,") == {"192.0.2.1", "fe80::1", "a:b", ""}
    with listen("127.0.0.1:0") as listener:
        client = socket.create_connection(listener.getsockname())
        connection, _ = listener.accept()
        with client, connection:
            assert is_allowed(connection, None)
            assert is_allowed(connection, allowed_peers("192.0.2.1,127.0.0.1"))
            assert not is_allowed(connection, allowed_peers("192.0.2.1"))
            assert not is_allowed(connection, allowed_peers("nonsense"))


def test_a_web_server_at_an_address_of_ipv6() -> None:
    need_address("::1")
    with listen("[::1]:0") as listener:
        client = socket.create_connection(listener.getsockname()[:2])
        connection, _ = listener.accept()
        with client, connection:
            for peers, allowed in {
                "::1": True,
                "[0::1]": True,
                "127.0.0.1": False,
                "::": False,
            }.items():
                assert is_allowed(connection, allowed_peers(peers)) is allowed


def test_a_socket_for_both_versions_of_ip_knows_the_peer() -> None:
    need_address("::1")
    with listen("[::]:0", public=True) as listener:
        client = socket.create_connection(("127.0.0.1", listener.getsockname()[1]))
        connection, _ = listener.accept()
        with client, connection:
            assert connection.getpeername()[0] == "::ffff:127.0.0.1"
            assert is_allowed(connection, allowed_peers("127.0.0.1"))


def test_with_a_list_no_unix_socket_will_do(tmp_path: Path) -> None:
    with listen(str(tmp_path / "s")) as listener:
        client = socket.socket(socket.AF_UNIX)
        client.connect(str(tmp_path / "s"))
        connection, _ = listener.accept()
        with client, connection:
            assert is_allowed(connection, None)
            assert not is_allowed(connection, allowed_peers("127.0.0.1"))
