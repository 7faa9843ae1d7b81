"""One request: what becomes of its body, of what the script prints, and of the time that it takes."""

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from gatewayserving import HEAD, Gateway, gateway
from serving import alive, until

ECHO = """
import sys, shutil
print("Content-Type: application/octet-stream\\n", flush=True)
shutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer)
"""


@pytest.fixture(scope="module", params=["fastcgi", "scgi"])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A gateway for each protocol."""
    with gateway(request.param, tmp_path_factory.mktemp("served"), "--workers", "1") as server:
        yield server


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that grants little, and yet enough to begin an answer on a busy machine."""
    options = ("--workers", "1", "--timeout", "3", "--total", "9", "--memory", "300")
    with gateway("fastcgi", tmp_path_factory.mktemp("limited"), *options) as server:
        yield server


# --- bodies -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 8_191, 65_535, 65_536, 65_537, 131_073, 1 << 20])
def test_a_body_goes_through_as_it_is(warm: Gateway, cold: Gateway, size: int) -> None:
    body = (hashlib.sha256(str(size).encode()).digest() * (size // 32 + 1))[:size]
    path = warm.script("echo.py", ECHO)
    for server in (warm, cold):
        answer = server.request(path, body)
        assert answer.ended == 0
        assert answer.body == body


def test_a_large_body_goes_through_both_ways(served: Gateway) -> None:
    body = os.urandom(1 << 20) * 50
    answer = served.request(served.script("echo.py", ECHO), body)
    assert answer.body == body


def test_a_body_that_is_not_read(served: Gateway) -> None:
    path = served.script("ignores.py", f"{HEAD}print('ignored')")
    for size in (10, 100_000, 5_000_000):
        assert served.request(path, b"x" * size).text == "ignored\n"


def test_a_body_that_is_read_in_part(served: Gateway) -> None:
    path = served.script("part.py", f"{HEAD}import os\nprint(len(os.read(0, 10)))")
    assert served.request(path, b"x" * 3_000_000).text == "10\n"


def test_a_body_that_comes_byte_by_byte(warm: Gateway) -> None:
    path = warm.script("echo.py", ECHO)
    with warm.connect() as peer:
        for byte in warm.encode(path, b"body"):
            peer.socket.sendall(bytes((byte,)))
        assert peer.answer().body == b"body"


@pytest.mark.parametrize("wrong", ["-2", "+1", "1_0", "1.5", "٣", "9" * 30])
def test_a_length_that_is_not_a_number(warm: Gateway, wrong: str) -> None:
    path = warm.script("echo.py", ECHO)
    assert warm.request(path, CONTENT_LENGTH=wrong).status == 400


# --- what is printed -----------------------------------------------------------------------------


def test_much_on_both_outputs_at_once(served: Gateway) -> None:
    path = served.script(
        "floods.py",
        f"""import os, threading
{HEAD}
def write(fd):
    line = (b"%d" % fd) * 1023 + b"\\n"
    for _ in range(10_240):
        os.write(fd, line)
threads = [threading.Thread(target=write, args=(fd,)) for fd in (1, 2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
""",
    )
    answer = served.request(path)
    assert len(answer.body) == 10 << 20
    assert answer.errors == b""
    assert served.wait_for("^/floods.py: 2{1000}")


def test_much_by_a_process_of_its_own(warm: Gateway) -> None:
    answer = warm.run(f"{HEAD}import os\nos.system('head -c 20000000 /dev/zero')")
    assert answer.body == bytes(20_000_000)


def print_all(text: str) -> str:
    return f"import sys\nsys.stdout.write({text!r})"


@pytest.mark.parametrize(
    ("output", "status"),
    [
        ("", 500),
        ("no header\n\nbody", 500),
        ("Content-Type: text/plain\n", 500),
        ("Content-Type text/plain\n\n", 500),
        ("X-Other: 1\n\nbody", 500),
        ("Status: abc\nContent-Type: text/plain\n\n", 500),
        ("Content-Type: a/b\nContent-Type: c/d\n\n", 500),
        ("Content-Type: text/plain\n\n", 200),
        ("Content-Type: text/plain\r\n\r\nbody", 200),
        ("Status: 404 Not Found\nContent-Type: text/plain\n\nbody", 404),
        ("Status: 304\n\n", 304),
        ("Location: http://example.org/\n\n", 302),
        (
            "Status: 301 Moved\nLocation: https://example.org/\nContent-Type: text/plain\n\nthere",
            301,
        ),
        ("X" * 100_000, 500),
        ("Content-Type: text/plain\n" + "X-A: b\n" * 100_000 + "\n", 500),
    ],
)
def test_a_header_block(warm: Gateway, cold: Gateway, output: str, status: int) -> None:
    path = warm.script("block.py", print_all(output))
    for server in (warm, cold):
        for _ in range(2):  # the second time a block is known by heart
            answer = server.request(path)
            assert answer.status == status
            if status < 500:
                assert answer.body in (output.replace("\r", "").partition("\n\n")[2].encode(), b"")


def test_the_same_block_for_other_methods(warm: Gateway) -> None:
    path = warm.script("methods.py", print_all("Content-Type: text/plain\n\nbody"))
    for method, body in (("GET", b"body"), ("HEAD", b""), ("GET", b"body"), ("PUT", b"body")) * 2:
        answer = warm.request(path, REQUEST_METHOD=method)
        assert answer.status == 200
        assert answer.body == body, method


def test_a_304_and_a_204_have_no_body(warm: Gateway) -> None:
    for status in ("204 No Content", "304 Not Modified"):
        path = warm.script("none.py", print_all(f"Status: {status}\n\nnot for you"))
        for _ in range(2):
            assert warm.request(path).body == b""


def test_a_local_redirect(warm: Gateway) -> None:
    warm.script(
        "target.py",
        f"{HEAD}import os\nprint(os.environ['REQUEST_METHOD'], "
        "os.environ['QUERY_STRING'], os.environ['PATH_INFO'], 'CONTENT_LENGTH' in os.environ)",
    )
    path = warm.script("leads.py", print_all("Location: /target.py/x%20y?a=b\n\n"))
    assert warm.request(path, b"body").text == "GET a=b /x y False\n"
    loop = warm.script("loop.py", print_all("Location: /loop.py\n\n"))
    assert warm.request(loop).status == 500
    warm.wait_for("More than 10 local redirects")


@pytest.mark.parametrize(
    ("target", "status"),
    [("/%25zz/%zz", 500), ("/%zz", 500), ("/..", 500), ("/%00", 500), ("/a%2fb", 404)],
)
def test_a_visitor_who_chooses_where_a_redirect_leads_ends_no_worker(
    served: Gateway, target: str, status: int
) -> None:
    seen = len(served.lines)
    path = served.script(
        "next.py", "import os\nprint(f\"Location: {os.environ['QUERY_STRING']}\\n\")"
    )
    for _ in range(2):
        answer = served.request(path, QUERY_STRING=target)
        assert (answer.status, answer.ended) == (status, 0)
    if status == 500:  # the script's fault, and not to be found without the log
        served.wait_for(rf"^{path}: The Location .* is not a valid path\. .*{target}", seen)
    assert not served.deaths(seen)


def test_a_script_that_speaks_http_itself(warm: Gateway) -> None:
    path = warm.script(
        "nph-own.py", print_all("HTTP/1.1 402 Pay\r\nContent-Type: text/plain\r\n\r\nbody")
    )
    answer = warm.request(path)
    assert (answer.status, answer.body) == (402, b"body")


def test_a_whole_answer_is_not_kept_back_by_a_script_that_goes_on(warm: Gateway) -> None:
    path = warm.script(
        "goes-on.py",
        "import os, time, sys\n"
        "sys.stdout.write('Content-Type: text/plain\\nContent-Length: 4\\n\\nbody')\n"
        "sys.stdout.flush()\nwhile not os.path.exists('on'): time.sleep(0.02)\n"
        "open('went-on', 'w').close()\n",
    )
    assert warm.request(path).text == "body"
    assert warm.scripts()
    warm.put("on", b"")
    assert until((warm.root / "went-on").exists)


def test_a_script_that_closes_its_output_and_goes_on(warm: Gateway) -> None:
    path = warm.script(
        "closes.py",
        f"{HEAD}import os, time\nprint('body', flush=True)\nos.close(1)\nos.close(2)\n"
        "while not os.path.exists('closed'): time.sleep(0.02)\nopen('lived', 'w').close()",
    )
    assert warm.request(path).text == "body\n"
    warm.put("closed", b"")
    assert until((warm.root / "lived").exists)


def test_what_is_printed_early_comes_early(warm: Gateway) -> None:
    path = warm.script(
        "early.py",
        f"{HEAD}import os, time\nprint('early', flush=True)\n"
        "while not os.path.exists('early-go'): time.sleep(0.02)\nprint('late')",
    )
    with warm.connect() as peer:
        peer.send(warm.variables(path))
        seen = b""
        while b"early" not in seen:  # the header may come before it
            piece = peer.receive()
            assert piece, seen
            seen += piece
        assert b"late" not in seen
        warm.put("early-go", b"")
        assert b"late" in peer.answer().output


# --- time and room -------------------------------------------------------------------------------

LATE = {
    "mute": "import time\ntime.sleep(1000)",
    "loop": "while True: pass",
    "stalls": f"{HEAD}import time\nprint('x' * 100, flush=True)\ntime.sleep(1000)",
    "trickles": f"{HEAD}import time\nwhile True: print('x' * 100, flush=True); time.sleep(0.1)",
    "deaf": """
import signal, time, os
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(os.getpid(), file=open("deaf-pid", "w"), flush=True)
while True: time.sleep(1)
""",
    "stopped": "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)",
    "hog": "data = []\nwhile True: data.append(bytearray(10_000_000))",
    "forks": """
import os, time
for _ in range(3):
    if not os.fork(): break
time.sleep(1000)
""",
    "well": f"{HEAD}import time\ntime.sleep(0.5)\nprint(1)",
}


def test_scripts_that_take_too_much(limited: Gateway) -> None:
    """All at once: none is in another one's way."""
    paths = [limited.script(f"{name}.py", source) for name, source in LATE.items()]
    with ThreadPoolExecutor(len(paths)) as pool:
        answers = dict(zip(LATE, pool.map(limited.request, paths), strict=True))
    for name in ("mute", "loop", "deaf", "stopped", "forks"):
        assert answers[name].status == 504, name
    for name in ("stalls", "trickles"):  # a part is out: cut
        assert answers[name].ended is None, name
        assert not answers[name].body.strip(b"x\n"), name
    limited.wait_for("^/stalls.py: .*silent for 3 seconds")
    limited.wait_for("^/trickles.py: .*stopped after 9 seconds")
    assert answers["hog"].status == 500
    limited.wait_for("^/hog.py: MemoryError")
    assert answers["well"].text == "1\n"
    assert not alive(int((limited.root / "deaf-pid").read_text()))
    assert until(lambda: not limited.scripts())


def test_a_client_that_leaves_ends_its_script(warm: Gateway) -> None:
    path = warm.script(
        "left.py",
        "import os, time, signal\n"
        "def end(*a):\n    open('term-came', 'w').close()\n    os._exit(0)\n"
        f"signal.signal(signal.SIGTERM, end)\n{HEAD}time.sleep(1000)",
    )
    with warm.connect() as peer:
        peer.send(warm.variables(path))
        assert peer.receive()
    assert until((warm.root / "term-came").exists)
    assert until(lambda: not warm.scripts())


def test_a_client_that_leaves_before_the_script_runs(warm: Gateway) -> None:
    path = warm.script("quick.py", HEAD)
    for _ in range(50):
        with warm.connect() as peer:
            peer.send(warm.variables(path))
    assert until(lambda: not warm.scripts())
    assert warm.request(path).text == ""


def test_a_client_that_leaves_in_mid_body(warm: Gateway) -> None:
    path = warm.script(
        "reads.py", f"{HEAD}import sys\nopen('read', 'a').write(str(len(sys.stdin.read())))"
    )
    with warm.connect() as peer:
        data = warm.encode(path, b"x" * 300_000)
        peer.socket.sendall(data[:200_000])
        assert until(warm.scripts)
    assert until(lambda: not warm.scripts())
    assert warm.request(warm.script("quick.py", HEAD)).text == ""


def test_the_errors_of_a_client_that_left_are_in_the_log(warm: Gateway) -> None:
    path = warm.script(
        "tells.py",
        "import signal, sys, time\n"
        "def end(*a):\n    sys.exit('told at the end')\n"
        f"signal.signal(signal.SIGTERM, end)\n{HEAD}time.sleep(1000)",
    )
    with warm.connect() as peer:
        peer.send(warm.variables(path))
        assert peer.receive()
    warm.wait_for("^/tells.py: told at the end$")


# --- which script -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "info", "status"),
    [
        ("/../../etc/passwd", "", 400),
        ("/sub/../../etc/passwd", "", 400),
        ("//etc/passwd", "", 404),
        ("/%2e%2e/etc/passwd", "", 404),
        ("/.hidden.py", "", 404),
        ("/missing.py", "", 404),
        ("", "", 400),
        ("relative.py", "", 400),
        ("/sub", "", 404),
        ("/data.txt", "", 403),
        ("/found.py", "", 200),
        ("//found.py", "", 200),
        ("/sub/../found.py", "", 200),
        ("/./found.py", "/a//b", 200),
        ("", "/found.py/a", 200),
        ("/found.py", "/../../x", 400),
        ("/" + "a" * 5000, "", 404),
        ("/" + "a/" * 2000, "", 404),
    ],
)
def test_only_what_is_below_the_root_runs(warm: Gateway, name: str, info: str, status: int) -> None:
    warm.script("found.py", f"{HEAD}import os\nprint(os.environ['SCRIPT_FILENAME'])")
    warm.script("sub/inner.py", HEAD)
    warm.script(".hidden.py", HEAD)
    warm.put("data.txt", "data", 0o644)
    answer = warm.request(
        name, PATH_INFO=info, SCRIPT_FILENAME="/etc/passwd", REQUEST_URI="relative"
    )
    assert answer.status == status
    if status == 200:
        assert answer.text == f"{warm.root}/found.py\n"


def test_the_peer_has_no_say_in_what_runs(warm: Gateway) -> None:
    path = warm.script(
        "mine.py", f"{HEAD}import os\nprint(__file__, os.getcwd(), os.environ['PATH_TRANSLATED'])"
    )
    answer = warm.request(
        path,
        PATH_INFO="/x",
        SCRIPT_FILENAME="/bin/sh",
        PATH_TRANSLATED="/etc/shadow",
        DOCUMENT_ROOT="/d",
    )
    assert answer.text == f"{warm.root}/mine.py {warm.root} /d/x\n"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PATH", "/evil"),
        ("HTTP_PROXY", "http://evil/"),
    ],
)
def test_variables_that_no_peer_can_set(
    warm: Gateway, cold: Gateway, name: str, value: str
) -> None:
    path = warm.script("env.py", f"{HEAD}import os\nprint(os.environ.get('{name}'))")
    for server in (warm, cold):
        assert value not in server.request(path, **{name: value}).text


def test_a_link_out_of_the_root_is_not_followed(warm: Gateway, tmp_path: Path) -> None:
    outside = tmp_path / "outside.py"
    outside.write_text(HEAD)
    outside.chmod(0o755)
    (warm.root / "way-out.py").symlink_to(outside)
    assert warm.request("/way-out.py").status == 404


def test_values_that_are_not_text(warm: Gateway) -> None:
    path = warm.script(
        "raw.py", f"{HEAD}import os\nprint(os.environb[b'HTTP_X'], os.environb[b'PATH_INFO'])"
    )
    with warm.connect() as peer:
        data = warm.encode(path, HTTP_X="QQQQ", PATH_INFO="/RRR")
        peer.socket.sendall(data.replace(b"QQQQ", b"\xff\xfe=\n").replace(b"RRR", b"\xe9\xc3\xa9"))
        assert peer.answer().text == "b'\\xff\\xfe=\\n' b'/\\xe9\\xc3\\xa9'\n"


def test_a_nul_in_a_value(warm: Gateway) -> None:
    seen = len(warm.lines)
    path = warm.script("quick.py", HEAD)
    if warm.protocol == "fastcgi":
        answer = warm.request(path, HTTP_X="a\0b")
        assert not answer.output or answer.status == 400
    assert warm.request(path).text == ""
    assert not [line for line in warm.lines[seen:] if "Traceback" in line]


def test_no_script_wrote_a_traceback_of_the_host(warm: Gateway, limited: Gateway) -> None:
    """Last in this module: whatever was sent above, the host itself never failed."""
    for server in (warm, limited):
        assert not [
            line for line in server.lines if "cgikit/host" in line or "a worker ended" in line
        ]


def test_a_script_without_its_x_bit_is_in_the_log_with_what_to_do(served: Gateway) -> None:
    """A 403 left no line at all."""
    path = served.script("off.py", "")
    (served.root / path[1:]).chmod(0o644)
    start = len(served.lines)
    assert served.request(path).status == 403
    served.wait_for(r"^/off\.py: off\.py is not executable\. chmod \+x \S*off\.py$", start)


def test_a_path_outside_the_scripts_is_in_the_log(served: Gateway) -> None:
    """Where the web server names another prefix every request is a 404: no line said why."""
    assert served.request("/wrong/prefix.py").status == 404
    served.wait_for(r"^/wrong/prefix\.py: Nothing is served at /wrong\. Check the spelling")
