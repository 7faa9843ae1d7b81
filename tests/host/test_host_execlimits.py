"""More than a program can be given is a 431 or a 414, started cold or warm."""

import os
import subprocess
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from gatewayserving import HEAD, Gateway, gateway
from servers.rawhttp import exchange
from serving import serve

from cgikit.host.environ import inherited
from cgikit.host.execlimits import MAX_VARIABLE, check
from cgikit.host.problem import Problem
from cgikit.host.spawn import Spawn
from cgikit.host.wsgi import Host

LENGTH = f"{HEAD}import os\nprint(len(os.environb[b'HTTP_X']), len(os.environ['QUERY_STRING']))"


def status(variables: dict[str, str], words: list[str] | None = None, base: str = "") -> int:
    try:
        check(variables, words or [], {"BASE": base})
    except Problem as problem:
        return problem.status
    return 200


def test_the_limit_is_the_systems() -> None:
    """The largest variable that passes can be given to a program, and one byte more cannot."""
    value = "x" * (MAX_VARIABLE - len("NAME=\0"))
    assert status({"NAME": value}) == 200
    assert status({"NAME": value + "x"}) == 431
    assert subprocess.run(["/bin/true"], env={"NAME": value}).returncode == 0
    with pytest.raises(OSError, match="Argument list too long"):
        subprocess.run(["/bin/true"], env={"NAME": value + "x"})


def test_bytes_count_and_not_characters() -> None:
    for text in ("\u20ac", "\udcff\udcff\udcff", "\U0001f40d"):
        number = MAX_VARIABLE // len(os.fsencode(text))
        assert status({"NAME": text * (number - 4)}) == 200
        assert status({"NAME": text * (number + 4)}) == 431


def test_all_together_are_bounded() -> None:
    most = os.sysconf("SC_ARG_MAX")
    each = "x" * 100_000
    many = {f"N{number}": each for number in range(most // len(each) + 1)}
    assert status(many) == 431
    few = {f"N{number}": each for number in range(most // len(each) // 2)}
    assert status(few) == 200
    assert status(few, ["a"] * (most // 10)) == 431
    assert status(few, base="x" * most) == 431


@pytest.mark.parametrize(
    ("name", "code"),
    [("HTTP_COOKIE", 431), ("QUERY_STRING", 414), ("REQUEST_URI", 414), ("PATH_INFO", 414)],
)
def test_what_is_too_long(name: str, code: int) -> None:
    assert status({name: "x" * MAX_VARIABLE}) == code


@pytest.mark.parametrize("server", ["warm", "cold"])
def test_by_fastcgi(server: str, request: pytest.FixtureRequest) -> None:
    """The same variable was a 500 where the script is started, and was passed where it runs warm."""
    running: Gateway = request.getfixturevalue(server)
    path = running.script("length.py", LENGTH)
    large = "x" * 140_000
    assert running.request(path, HTTP_X=large).status == 431
    assert running.request(path, HTTP_X="x", QUERY_STRING=large).status == 414
    assert running.request(path, HTTP_X="x" * 120_000).text == "120000 0\n"
    assert running.request(path, HTTP_X="\u20ac" * 43_000).text == "129000 0\n"


def test_by_scgi(tmp_path: Path) -> None:
    with gateway("scgi", tmp_path, "--workers", "1") as server:
        path = server.script("length.py", LENGTH)
        assert server.request(path, HTTP_X="x" * 140_000).status == 431
        assert server.request(path, HTTP_X="x" * 120_000).text == "120000 0\n"


@pytest.mark.parametrize("options", [[], ["--warm"]])
def test_by_http(tmp_path: Path, options: list[str]) -> None:
    (tmp_path / "length.py").write_text(f"#!/usr/bin/env python3\n{LENGTH}")
    (tmp_path / "length.py").chmod(0o755)
    with serve(tmp_path, *options) as server:

        def ask(field: int, query: int) -> bytes:
            head = f"GET /length.py?={'q' * query} HTTP/1.0\r\nX: {'x' * field}\r\n\r\n"
            return exchange("127.0.0.1", server.port, head.encode())

        assert ask(50_000, 5).endswith(b"50000 6\n")
        assert ask(140_000, 5).startswith(b"HTTP/1.0 431 ")


def test_by_wsgi(tmp_path: Path) -> None:
    """Where the server in front allows more than `cgikit serve` does."""
    (tmp_path / "length.py").write_text(f"#!/usr/bin/env python3\n{LENGTH}")
    (tmp_path / "length.py").chmod(0o755)
    executor = Spawn()
    host = Host(str(tmp_path), executor, environment=inherited(os.environ), log=lambda line: None)

    def ask(field: int, query: int) -> str:
        environ: dict[str, Any] = {"PATH_INFO": "/length.py", "SERVER_PROTOCOL": "HTTP/1.0"}
        setup_testing_defaults(environ)
        environ |= {"HTTP_X": "x" * field, "QUERY_STRING": "=" + "q" * query}
        statuses: list[str] = []
        answer = host(environ, lambda status, headers: statuses.append(status))
        list(answer)
        answer.close()
        return statuses[0][:3]

    try:
        assert ask(120_000, 5) == "200"
        assert ask(140_000, 5) == "431"
        assert ask(5, 140_000) == "414"
    finally:
        executor.close()
