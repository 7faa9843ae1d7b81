"""What is preloaded: learnt from scripts, unless importing it does more than define things."""

import json
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from gatewayserving import HEAD, Gateway, gateway
from serving import until

import cgikit

LIBRARIES = {
    "plainlib": "import decimal\nVALUE = decimal.Decimal(1)",
    "threadlib": "import threading\nt = threading.Timer(9, print)\nt.daemon = True\nt.start()",
    "filelib": "FILE = open(__file__)",
    "printlib": "print('noise', flush=True)",
    "handlerlib": "import signal\nsignal.signal(signal.SIGUSR1, lambda *_: None)",
    "environlib": "import os\nos.environ['LIBRARY_WAS_HERE'] = '1'",
    "pathlib_": "import sys\nsys.path.append('/library/was/here')",
    "directorylib": "import os\nos.chdir('/tmp')",
    "recursionlib": "import sys\nsys.setrecursionlimit(12345)",
    "exitlib": "import os, sys\nif 'REQUEST_METHOD' not in os.environ: sys.exit('only in a request')",
    "hardexitlib": "import os\nif 'REQUEST_METHOD' not in os.environ: os._exit(0)",
    "failinglib": "import os\nos.environ['REQUEST_METHOD']",
    "askslib": "import os\nMETHOD = os.environ.get('REQUEST_METHOD')",
    "looklib": "import os\nHAS = 'HTTP_COOKIE' in os.environ",
    "readlib": "import sys\nLINE = sys.stdin.readline()",
    "chancelib": "import random\nRNG = random.Random()",
    "numberlib": "import itertools, os, time\nIDS = itertools.count(os.getpid())\nAT = time.time_ns()",
    "userlib": "import chancelib",
}
#: Of a package with so many modules, of which one starts a thread when the package is imported.
LARGE = 300


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway of a virtual environment with libraries, each used by a script of its own."""
    place = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
    (packages,) = place.glob("lib/python*/site-packages")
    (packages / "cgikit").symlink_to(Path(cgikit.__file__).parent)
    for name, source in LIBRARIES.items():
        (packages / f"{name}.py").write_text(source)
    (packages / "seedlib.py").write_text("import random\nRNG = random.Random(42)")
    (packages / "largelib").mkdir()
    for number in range(LARGE):
        (packages / "largelib" / f"m{number}.py").write_text(f"NUMBER = {number}")
    (packages / "largelib" / "m7.py").write_text(LIBRARIES["threadlib"])
    modules = ", ".join(f"m{number}" for number in range(LARGE))
    (packages / "largelib" / "__init__.py").write_text(f"from . import {modules}")
    python = str(place / "bin" / "python")
    root = tmp_path_factory.mktemp("root")
    with gateway("fastcgi", root, "--workers", "1", executable=python) as found:
        yield found


def script(server: Gateway, name: str) -> str:
    """A script that uses a library, and says whether it was there and whether it left a trace."""
    return server.script(
        f"uses-{name}.py",
        f"import sys, os\nheld = {name!r} in sys.modules\nbefore = len(os.listdir('/proc/self/task'))\n"
        f"{HEAD}import {name}\nprint(held, before, os.environ.get('LIBRARY_WAS_HERE'), os.getcwd())",
    )


def test_a_library_is_learnt(server: Gateway) -> None:
    path = script(server, "plainlib")
    assert server.request(path).text.startswith("False")
    assert until(lambda: server.request(path).text.startswith("True"))


@pytest.mark.parametrize("name", [name for name in LIBRARIES if name != "plainlib"])
def test_a_library_that_does_more_is_not_held(server: Gateway, name: str) -> None:
    path = script(server, name)
    first = server.request(path, b"a line\n").text.splitlines()[-1].split()
    assert first[:2] == ["False", "1"]
    # Once it has been tried, nothing of it is there for the others, and the script works as before
    server.wait_for(f"not preloaded: .*\\b{name}\\b.*:")
    for _ in range(3):
        again = server.request(path, b"a line\n").text.splitlines()[-1].split()
        assert again == first
    plain = server.script(
        "plain.py", f"import sys, os\n{HEAD}print({name!r} in sys.modules, os.getcwd())"
    )
    assert server.request(plain).text == f"False {server.root}\n"


def test_each_request_has_a_chance_of_its_own(server: Gateway) -> None:
    """A generator, or a number, that a library makes at its import would be that of all requests."""
    path = server.script(
        "tokens.py",
        f"import chancelib, numberlib\n{HEAD}"
        "print(chancelib.RNG.random(), next(numberlib.IDS), numberlib.AT)",
    )
    server.request(path)
    server.wait_for(
        "not preloaded: .*\\bchancelib\\b.*: its import leaves something that is another"
    )
    server.wait_for(
        "not preloaded: .*\\bnumberlib\\b.*: its import leaves something that is another"
    )
    answers = [server.request(path).text.split() for _ in range(10)]
    for column in zip(*answers, strict=True):
        assert len(set(column)) == 10, column


def test_a_generator_with_a_seed_begins_as_under_cgi(server: Gateway) -> None:
    path = server.script(
        "seeded.py",
        f"import sys\nheld = 'seedlib' in sys.modules\nimport seedlib\n{HEAD}"
        "print(held, seedlib.RNG.random())",
    )
    first = server.request(path).text
    assert first == f"False {random.Random(42).random()}\n"
    assert until(lambda: server.request(path).text != first)
    for _ in range(3):
        assert server.request(path).text == f"True {random.Random(42).random()}\n"


def test_a_large_package_is_refused_once_and_not_tried_again(server: Gateway) -> None:
    """As pandas is: its modules were tried one by one, beyond the time to start, for ever."""
    path = server.script("large.py", f"import largelib\n{HEAD}print(largelib.m299.NUMBER)")
    assert server.request(path).text == "299\n"
    server.wait_for("not preloaded: .*\\blargelib\\b")
    plain = server.script(
        "after.py",
        f"import sys\nheld = 'imaplib' in sys.modules\nimport imaplib\n{HEAD}print(held)",
    )
    server.request(plain)
    assert until(lambda: server.request(plain).text == "True\n")  # workers have been replaced again
    assert server.request(path).text == "299\n"
    told = [line for line in server.lines if "largelib" in line and "preloaded" in line]
    assert len(told) == 1
    # After SIGHUP it is tried again
    before = len(server.lines)
    server.process.send_signal(signal.SIGHUP)
    server.wait_for("reloading", before)
    assert until(
        lambda: (
            server.request(path).text and any("largelib" in line for line in server.lines[before:])
        )
    )


def test_a_module_beside_a_script_is_never_held(server: Gateway) -> None:
    server.put("beside.py", "COUNT = 0", 0o644)
    path = server.script(
        "counts.py", f"import sys\nheld = 'beside' in sys.modules\nimport beside\n{HEAD}print(held)"
    )
    for _ in range(30):
        assert server.request(path).text == "False\n"


def test_what_is_named_is_held_from_the_start(tmp_path: Path) -> None:
    with gateway(
        "fastcgi",
        tmp_path,
        "--workers",
        "1",
        "--preload",
        "colorsys",
        "--preload",
        "no_such_module",
    ) as server:
        path = server.script("looks.py", f"import sys\n{HEAD}print('colorsys' in sys.modules)")
        assert server.request(path).text == "True\n"
        server.wait_for("not preloaded: no_such_module: ModuleNotFoundError")


def test_cgikit_s_own_files_are_not_looked_at_for_every_request() -> None:
    """Twenty-five of them cost as much as the rest of what a worker does with files."""
    source = (
        "import json, sys, time\nimport cgikit.response, multipart\nfrom cgikit.warm import preload\n"
        "found = preload.held(time.time_ns() - 10**12)\n"
        "print(json.dumps({name: plain for name, (_, _, plain) in found.items()}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", source], cwd="/", text=True, capture_output=True, check=True
    )
    found = json.loads(done.stdout)
    assert {name for name in found if name.startswith("cgikit")} >= {"cgikit", "cgikit.response"}
    assert all(found[name] for name in found if name.startswith("cgikit"))
    assert found["os"]
    assert not found["multipart"]
