"""What waitress's loop calls may raise: one connection ends, and the server goes on."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import injecting
import pytest
from serving import Server, until


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    """A `cgikit serve` of which one call-back raises when it is told to, and the file that tells it."""
    root, order = tmp_path_factory.mktemp("root"), tmp_path_factory.mktemp("order") / "order"
    script = root / "hello.sh"
    script.write_text("#!/bin/sh\necho 'Content-Type: text/plain'\necho\necho hello\n")
    script.chmod(0o755)
    command = [sys.executable, injecting.__file__, str(order), "cgikit", "serve", str(root)]
    process = subprocess.Popen(
        [*command, "--port", "0"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        server = Server(process)
    except BaseException:
        process.kill()
        process.communicate()
        raise
    yield server, order
    server.stop()


def answered(server: Server) -> bool:
    """Ask once; False where the answer was cut, or there was none."""
    try:
        with urlopen(server.url + "hello.sh", timeout=60) as answer:
            return bool(answer.read() == b"hello\n")
    except (URLError, ConnectionError, TimeoutError):
        return False


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("target", sorted(injecting.SERVE))
def test_a_callback_that_raises_ends_one_connection(
    served: tuple[Server, Path], target: str, when: str
) -> None:
    server, order = served
    assert answered(server)
    seen = len(server.lines)
    written = order.with_suffix(".new")
    written.write_text(f"{target} {when} NONE")
    written.rename(order)
    assert until(lambda: answered(server) or not order.exists())
    assert until(lambda: not order.exists() or not answered(server))
    server.wait_for(f"incident .*Injected: {target}", seen)
    for _ in range(3):
        assert answered(server)
    assert server.process.poll() is None
