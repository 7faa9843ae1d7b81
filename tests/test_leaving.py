"""The rule by itself: what makes a process one that has to be finalized. What is kept by it is tested
in kinds/test_unclosed.py, with whole scripts.
"""

import subprocess
import sys
from pathlib import Path

import pytest
from posting import clean_environ

ROOT = Path(__file__).resolve().parent.parent
#: Each in a process of its own that has the three standard streams and nothing else.
START = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
import gc, os
from cgikit import leaving
streams = (sys.stdin, sys.stdout, sys.stderr)
frozen = "frozen" in sys.argv
if frozen:
    gc.collect()
    gc.freeze()
    mark, streams = leaving.Mark(), ()
def must():
    return leaving.must_finalize(streams, 3, False, mark if frozen else None)
"""

NOTHING = {
    "nothing": "",
    "values": "a = [1, {2: (3, 'x')}, {4}]",
    "a class": "class A:\n    def f(self): return self\na = A()",
    "a cycle": "a = []\na.append(a)",
    "memory": "import io\na = io.BytesIO(b'x'), io.StringIO('x')",
    "a file that was closed": "with open('x', 'w') as f: f.write('x')",
    "an object of ours": "from cgikit.upload import Upload",
}
SOMETHING = {
    "a file": "f = open('x', 'w')",
    "a descriptor": "os.open('x', os.O_RDWR | os.O_CREAT)",
    "a file that was taken apart": "f = open('x', 'w')\nb = f.detach()",
    "a socket": "import socket\ns = socket.socket()",
    "a thread": "import threading, time\n"
    "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
    "a finaliser": "class A:\n    def __del__(self): pass\na = A()",
    "a finaliser that the collector does not see": "class A:\n    __slots__ = ()\n"
    "    def __del__(self): pass\na = A()",
    "a finaliser further down": "class A:\n    __slots__ = ()\nclass B(A):\n    __slots__ = ()\n"
    "    def __del__(self): pass\nb = B()",
    "a finaliser of a text": "class A(str):\n    __slots__ = ()\n    def __del__(self): pass\na = A()",
    "a generator": "def f():\n    yield\ng = f()\nnext(g)",
    "another stream of standard output": "f = open(1, 'w', closefd=False)",
    "hidden objects": "gc.freeze()",
}


def answer(place: Path, source: str, *words: str) -> str:
    """What a process with that source says of itself."""
    done = subprocess.run(
        [sys.executable, "-c", f"{START}{source}\nprint(must(), flush=True)\nos._exit(0)", *words],
        cwd=place,
        env=clean_environ(),
        input="",
        text=True,
        capture_output=True,
    )
    assert done.stderr == ""
    return done.stdout.strip()


@pytest.mark.parametrize("words", [(), ("frozen",)])
@pytest.mark.parametrize("case", NOTHING)
def test_nothing_is_lost(tmp_path: Path, case: str, words: tuple[str, ...]) -> None:
    assert answer(tmp_path, NOTHING[case], *words) == "False"


@pytest.mark.parametrize("words", [(), ("frozen",)])
@pytest.mark.parametrize("case", SOMETHING)
def test_something_could_be_lost(tmp_path: Path, case: str, words: tuple[str, ...]) -> None:
    assert answer(tmp_path, SOMETHING[case], *words) == "True"


MAY_END = "def must(): return leaving.may_end(streams, 3, False)"


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("", "True"),
        ("sys.stderr = open(1, 'w', closefd=False)", "False"),
        ("f = open('x', 'w')", "False"),
        ("class A:\n    def __del__(self): pass\na = A()", "False"),
    ],
)
def test_it_may_end_where_nothing_could_be_lost(tmp_path: Path, source: str, found: str) -> None:
    assert answer(tmp_path, f"{source}\n{MAY_END}") == found


def test_what_is_buffered_is_written_before_it_ends(tmp_path: Path) -> None:
    source = f"sys.stdout.write('held, ')\n{MAY_END}\nassert must()\nos.write(1, b'then ')"
    assert answer(tmp_path, source) == "held, then True"


def test_what_lets_go_is_called_once_and_asked_again(tmp_path: Path) -> None:
    source = """
f, called = open('x', 'w'), []
def let_go():
    called.append(1)
    if 'help' in sys.argv:
        f.close()
def must():
    return leaving.may_end(streams, 3, False, let_go=let_go), called
"""
    assert answer(tmp_path, source, "help") == "(True, [1])"
    assert answer(tmp_path, source) == "(False, [1])"


@pytest.mark.parametrize(
    ("error", "found"), [("BrokenPipeError()", "True"), ("OSError(28, 'full')", "False")]
)
def test_a_client_that_went_away_is_no_reason_to_finalize(
    tmp_path: Path, error: str, found: str
) -> None:
    source = f"""
class Standard:
    closed = False
    def flush(self): raise {error}
sys.stderr = sys.__stderr__ = Standard()
{MAY_END}"""
    assert answer(tmp_path, source) == found


@pytest.mark.parametrize(("module", "found"), [("_json", "False"), ("_ctypes", "True")])
def test_c_code_of_others(tmp_path: Path, module: str, found: str) -> None:
    source = f"import {module}\nprint(leaving.runs_c(sys.modules.values()))\ndef must(): return ''"
    assert answer(tmp_path, source) == found


def test_an_extension_that_is_not_of_the_standard_library_runs_c(tmp_path: Path) -> None:
    import _json

    place = Path(_json.__file__) if hasattr(_json, "__file__") else None
    if place is None:  # built into this interpreter: a copy cannot be made, and none is needed
        return
    (tmp_path / place.name).write_bytes(place.read_bytes())
    source = "sys.path.insert(0, os.getcwd())\nimport _json\nprint(leaving.runs_c([_json]))"
    assert answer(tmp_path, f"{source}\ndef must(): return ''") == "True"


def test_what_c_has_printed_is_flushed(tmp_path: Path) -> None:
    source = "assert not leaving.flush_c()\nimport ctypes\nctypes.CDLL(None).printf(b'by C ')"
    assert answer(tmp_path, f"{source}\nassert leaving.flush_c()") == "by C False"


@pytest.mark.parametrize("kernel", ["as it is", "before Linux 6.2"])
def test_the_number_of_descriptors_wherever_they_are(tmp_path: Path, kernel: str) -> None:
    """By the size of a directory, which older kernels give as 0: then they are listed."""
    older = "" if kernel == "as it is" else (
        "kept = os.stat\n"
        "os.stat = lambda *a: os.stat_result((*kept(*a)[:6], 0, *kept(*a)[7:]))\n"
    )  # fmt: skip
    source = (
        f"{older}count = leaving.open_descriptors\nfound = [count()]\n"
        "os.dup2(0, 57); found.append(count())\n"
        "os.close(57); os.close(0); found.append(count())\nprint(found)"
    )
    assert answer(tmp_path, source).splitlines()[0] == "[3, 4, 2]"
