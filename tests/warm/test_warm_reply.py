"""What goes back for a request: an answer, a page, or a cut, whatever the script does at its end."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from gatewayserving import HEAD, Gateway, gateway
from serving import until

WAITS = "while not os.path.exists({!r}): time.sleep(0.02)\n"
#: A script that is told to end closes its output and lives on for a while.
STUBBORN = """
import os, signal, sys, time
def closes(number, frame):
    for fd in (1, 2):
        os.close(fd)
    open("closed", "w").close()
signal.signal(signal.SIGTERM, closes)
"""


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Scripts may be silent for a second."""
    root = tmp_path_factory.mktemp("limited")
    with gateway("fastcgi", root, "--workers", "1", "--timeout", "1") as server:
        yield server
        assert not [line for line in server.lines if "Traceback" in line]


def test_an_answer_that_broke_off_is_not_whole_because_its_script_closed_its_output(
    limited: Gateway,
) -> None:
    """Stopped for its silence, the script closed its output and lived on: the part was ended as if
    it were the whole.
    """
    path = limited.script(
        "stubborn.py", f"{STUBBORN}{HEAD}print('part', flush=True)\nwhile True: time.sleep(0.1)"
    )
    answer = limited.request(path)
    assert (limited.root / "closed").exists()
    assert answer.ended is None
    assert answer.body.startswith(b"part\n")
    limited.wait_for(r"^/stubborn\.py: the script was silent for 1 seconds and was stopped")


def test_a_script_that_is_stopped_before_its_header_is_answered_by_a_page(
    limited: Gateway,
) -> None:
    path = limited.script("headless.py", f"{STUBBORN}while True: time.sleep(0.1)")
    answer = limited.request(path)
    assert (answer.status, answer.ended) == (504, 0)
    limited.wait_for(r"^/headless\.py: The script did not complete its headers within 1 seconds")


def test_a_script_that_is_killed_in_mid_answer_is_cut_and_named(warm: Gateway) -> None:
    (warm.root / "go").unlink(missing_ok=True)
    path = warm.script(
        "killed.py",
        f"{HEAD}import os, time\nprint('part', flush=True)\n{WAITS.format('go')}"
        "os.kill(os.getpid(), 9)",
    )
    seen = len(warm.lines)
    with warm.connect() as peer:
        peer.send(warm.variables(path))
        data = b""
        while b"part" not in data:
            data += peer.receive()
        warm.put("go", b"")
        answer = peer.answer()
    assert answer.ended is None
    warm.wait_for(r"^/killed\.py: The script was killed by signal 9 in mid-answer\.", seen)


def test_a_small_answer_that_breaks_off_is_a_page(warm: Gateway) -> None:
    """Nothing of it has gone out, as long as its length says that more is to come."""
    source = (
        "import os, time\nos.write(1, b'Content-Type: text/plain\\nContent-Length: 100\\n\\npart')\n"
        "time.sleep(0.3)\nos.kill(os.getpid(), 9)"
    )
    answer = warm.run(source)
    assert (answer.status, answer.ended) == (500, 0)
    assert b"part" not in answer.body


def test_output_after_a_redirect_is_dropped(warm: Gateway) -> None:
    warm.script("target.py", f"{HEAD}print('target')")
    path = warm.script(
        "leads.py", "print('Location: /target.py\\n', flush=True)\nprint('x' * 300_000)"
    )
    assert warm.request(path).text == "target\n"


def test_a_page_for_head_has_no_body(warm: Gateway) -> None:
    path = warm.script("fails.py", "raise SystemExit(3)")
    for method, has_body in (("HEAD", False), ("GET", True)):
        answer = warm.request(path, REQUEST_METHOD=method)
        assert answer.status == 500
        assert bool(answer.body) == has_body


def test_standard_error_goes_to_the_log_and_its_end_to_the_page(tmp_path: Path) -> None:
    with gateway(
        "fastcgi", tmp_path, "--workers", "1", environment={"CGIKIT_DEBUG": "1"}
    ) as server:
        path = server.script("says.py", "import sys\nsys.exit('said at the end')")
        answer = server.request(path)
        assert answer.status == 500
        assert b"said at the end" in answer.body
        assert not answer.errors
        server.wait_for("^/says.py: said at the end$")
        assert until(lambda: not server.scripts())
