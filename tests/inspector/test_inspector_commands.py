"""Commands to copy: a real shell runs them, and a real curl."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from inspecting import Looker, inspected
from requirement import need
from serving import serve

from cgikit.inspector.commands import as_curl, as_shell
from cgikit.inspector.exchange import Exchange
from cgikit.inspector.hiding import Hiding

#: It prints its variables, its arguments and its input, all as they are.
SCRIPT = """\
#!/bin/sh
printf 'Content-Type: application/x-echo\\n\\n'
printf '%s|' "$REQUEST_METHOD" "$QUERY_STRING" "$HTTP_X_REQUESTED_WITH" "$CONTENT_LENGTH" "$@"
cat
"""
HOSTILE = "a'b\"c`id`$(id);&|<>*?[x]{y}~!#%-\\ü"
BODIES = {
    "text": b"a=1&b=%20 '$(id)`id`\"\\n%s",
    "lines": b"one\ntwo\r\n\ttab\n",
    "at": b"@/etc/passwd",
    "dash": b"-e x",
    "all bytes": bytes(range(256)),
    "zeros": b"\0" * 20 + b"12",
    "digits after escapes": b"\x011\x0123\0077",
    "empty": b"",
    "unicode": "é→".encode(),
}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    where = tmp_path / "a directory; with $(names)"
    where.mkdir()
    path = where / "-x 'y'.sh"
    path.write_text(SCRIPT)
    path.chmod(0o755)
    return path


def shells() -> list[str]:
    return [path for name in ("dash", "bash", "busybox") if (path := shutil.which(name))]


def run(line: str, shell: str = "sh") -> bytes:
    words = [shell, "sh"] if shell.endswith("busybox") else [shell]
    done = subprocess.run([*words, "-c", line], capture_output=True, timeout=60, check=True)
    return done.stdout


def shell_of(exchange: Exchange) -> str:
    command = as_shell(exchange.runs[0], Hiding(exchange))
    assert command.refused == ""
    return command.text


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("shell", shells())
def test_the_line_of_shell_runs_the_script_with_the_same_bytes(
    directory: Path, shell: str, body: bytes
) -> None:
    exchange = inspected(
        f"/x.sh?{HOSTILE}",
        method="POST",
        headers=(("X-Requested-With", HOSTILE),),
        body=body,
        file=str(directory),
        environment={"PATH": "/usr/bin:/bin"},
    )
    exchange.runs[0].arguments = ("-n", HOSTILE, "")
    said = run(shell_of(exchange), shell).partition(b"\n\n")[2]
    values = ["POST", HOSTILE, HOSTILE, str(len(body)), "-n", HOSTILE, ""]
    assert said == "".join(f"{value}|" for value in values).encode() + body


def test_without_a_body_the_script_reads_nothing(directory: Path) -> None:
    line = shell_of(inspected(file=str(directory), environment={"PATH": "/usr/bin:/bin"}))
    assert line.endswith(" </dev/null")
    assert run(line).endswith(b"GET||||")


@pytest.mark.parametrize(
    "char", ["\n", "\r", "\x1b", "\0", "\x7f", "\x9b", "\u202e", "\udcff", "\u2028"]
)
def test_what_a_terminal_might_obey_is_refused(char: str) -> None:
    def commands(**given) -> list[str]:  # type: ignore[no-untyped-def]
        exchange = inspected(**given)
        hiding = Hiding(exchange)
        both = (as_curl(exchange, hiding), as_shell(exchange.runs[0], hiding))
        return [command.text for command in both]

    assert commands(headers=(("User-Agent", f"a{char}b"),))[0] == ""
    assert commands(environment={"HTTP_USER_AGENT": f"a{char}b"})[1] == ""
    assert commands(target=f"/x?a{char}b") == ["", ""]
    assert commands(file=f"/srv/a{char}b/x.py")[1] == ""
    assert commands(file=f"/srv/x{char}.py")[1] == ""


def test_a_large_body_goes_into_a_file() -> None:
    exchange = inspected(method="POST", body=b"x" * 9_000)
    hiding = Hiding(exchange)
    for command in (as_curl(exchange, hiding), as_shell(exchange.runs[0], hiding)):
        assert "9,000 bytes, into a file named body" in command.notes[0]
        assert len(command.text) < 1_000
    assert as_shell(exchange.runs[0], hiding).text.endswith(" <body")
    assert as_curl(exchange, hiding).text.endswith("--data-binary @body")


def test_secrets_are_left_out_and_it_says_so() -> None:
    exchange = inspected(
        "/x.py?token=abcdef",
        method="POST",
        headers=(("Cookie", "sid=abcdef123"), ("X-Key", "abcdefgh")),
        body=b"password=abcdefx&a=1",
        content_type="application/x-www-form-urlencoded",
    )
    hiding = Hiding(exchange)
    for command in (as_curl(exchange, hiding), as_shell(exchange.runs[0], hiding)):
        assert "abcdef" not in command.text
        assert "password=(hidden)&a=1" in command.text
        assert any("Secrets are left out" in note for note in command.notes)
    assert "CONTENT_LENGTH=21" in as_shell(exchange.runs[0], hiding).text


@pytest.fixture
def looker(tmp_path: Path) -> Iterator[Looker]:
    path = tmp_path / "x.sh"
    path.write_text(SCRIPT)
    path.chmod(0o755)
    with serve(tmp_path) as server:
        yield Looker(server)


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_curl_sends_the_same_bytes(looker: Looker, body: bytes) -> None:
    need("curl")
    exchange = inspected(
        "/x.sh?a=%27&b=[1-3]{x,y}&c=$(id)",
        method="POST",
        headers=(("Host", looker.host), ("X-Requested-With", "@'$(id)"), ("X-Empty", "")),
        body=body,
        content_type="text/x-any",
    )
    said = run(as_curl(exchange, Hiding(exchange)).text).replace(b"\r\n", b"\n")
    values = ["POST", "a=%27&b=[1-3]{x,y}&c=$(id)", "@'$(id)", str(len(body))]
    expected = b"|".join(value.encode() for value in values) + b"|" + body
    assert said.partition(b"\n\n")[2] == expected.replace(b"\r\n", b"\n")


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "PUT"])
def test_curl_uses_the_same_method(looker: Looker, method: str) -> None:
    need("curl")
    headers = (("Host", looker.host),)
    exchange = inspected("/x.sh/../x.sh", method=method, headers=headers)
    run(as_curl(exchange, Hiding(exchange)).text)
    assert f"{method} /x.sh/../x.sh" in looker.ask(f"/_cgikit/{looker.latest()}").text


def test_curl_sends_a_head_with_a_body_and_does_not_wait_for_one(tmp_path: Path) -> None:
    """It waited for the five bytes that the answer to a GET would have had."""
    need("curl")
    script = tmp_path / "x.sh"
    script.write_text(
        "#!/bin/sh\nprintf 'Content-Type: text/plain\\nContent-Length: 5\\n'\n"
        "printf 'X-Got: %s\\n\\nhello' \"$(cat)\"\n"
    )
    script.chmod(0o755)
    with serve(tmp_path) as server:
        looker = Looker(server)
        exchange = inspected("/x.sh", method="HEAD", headers=(("Host", looker.host),), body=b"a=1")
        said = run(as_curl(exchange, Hiding(exchange)).text)
        assert b"X-Got: a=1" in said
        assert said.endswith(b"\r\n\r\n")
        assert "HEAD /x.sh" in looker.ask(f"/_cgikit/{looker.latest()}").text
