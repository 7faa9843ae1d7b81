"""`cgikit scgi`: what is specific to SCGI; test_cli_gatewaycommand.py has what FastCGI shares."""

from pathlib import Path

from gatewayserving import HEAD, gateway


def test_standard_error_goes_to_the_log(tmp_path: Path) -> None:
    """SCGI has no way for it."""
    with gateway("scgi", tmp_path, "--workers", "1") as server:
        answer = server.run(
            f"{HEAD}import sys\nprint('told\\x1b[2J', file=sys.stderr)\nsys.exit(3)"
        )
        assert answer.body == b""
        server.wait_for(r"^/run1.py: told\\x1b\[2J$")
        server.wait_for("^/run1.py: exited with status 3$")


def test_the_end_of_the_request_may_be_told_by_closing_one_half(tmp_path: Path) -> None:
    with gateway("scgi", tmp_path, "--workers", "1") as server:
        path = server.script("hello.py", f"{HEAD}print('hello')")
        with server.connect() as peer:
            peer.socket.sendall(server.encode(path))
            peer.socket.shutdown(1)
            assert peer.answer().text == "hello\n"
