"""Scripts that are still out there, in `tests/data/migrate`: one process serves a hundred requests."""

import shutil
import sys
import time
from pathlib import Path

from gatewayserving import Gateway, gateway
from migrate.answers import SCRIPTS, Request, requests
from serving import state, until

from cgikit.warm.program import RACY

ROUNDS = 100
ATTEMPTS = 8  # until the modules that a script imports are preloaded
ENOUGH = 30


def ask(server: Gateway, path: str, request: Request) -> None:
    """Send a request, and wait until no process is at work."""
    with server.connect() as peer:
        variables = {**request.environ, "SCRIPT_NAME": path, "REQUEST_URI": path}
        answer = peer.ask(variables, request.body)
    assert b"\r\n\r\n" in answer.output, (path, answer)
    assert until(lambda: all(state(pid) in ("S", "") for pid in server.scripts()))


def rounds(server: Gateway, path: str, asked: list[Request]) -> int:
    """How many requests in a row the process of a script has served that has served the most."""
    others = set(server.scripts())
    kept: set[int] = set()
    for _ in range(ATTEMPTS):
        ask(server, path, asked[0])
        kept = set(server.scripts()) - others
        if kept:
            break
    for number in range(ROUNDS):
        if not kept or not kept <= set(server.scripts()):
            return number
        ask(server, path, asked[number % len(asked)])
    return ROUNDS if kept <= set(server.scripts()) else 0


def test_most_are_served_a_hundred_times_by_one_process(tmp_path: Path) -> None:
    for script in SCRIPTS:
        place = tmp_path / script.stem
        place.mkdir()
        _, _, rest = script.read_bytes().partition(b"\n")
        copy = place / script.name
        copy.write_bytes(f"#!{sys.executable}\n".encode() + rest)
        shutil.copymode(script, copy)
        copy.chmod(0o755)
    changed = max(path.stat().st_ctime_ns for path in tmp_path.glob("*/*"))
    options = ["--workers", "1", "--reuse", "*", "--preload", "cgi", "--preload", "cgitb"]
    with gateway("fastcgi", tmp_path, *options) as server:
        assert until(lambda: time.time_ns() - changed > RACY)
        found = {
            script.stem: rounds(server, f"/{script.stem}/{script.name}", requests(script))
            for script in SCRIPTS
        }
    again = [name for name, count in found.items() if count == ROUNDS]
    assert len(again) >= ENOUGH, (found, [line for line in server.lines if "serves no" in line])
