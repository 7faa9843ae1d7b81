"""Modules that are tried before they are preloaded: what is refused, with what, and in what time."""

import ast
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from posting import clean_environ
from serving import alive, until

from cgikit.warm import supervisor, trial
from cgikit.warm.trial import ABSENT, HARMLESS

ROOT = Path(__file__).resolve().parent.parent.parent
MANY = 300
#: In a process of its own, as bare as the one that forks.
SIFTS = f"""
import sys
sys.path[:0] = [{str(ROOT)!r}, sys.argv[1]]
from cgikit.warm import trial
tried, real = [], trial.trial
def counting(names, shift, seconds, own=None):
    tried.append(names)
    return real(names, shift, 600, own)
trial.trial = counting
names = sys.argv[3:]
trials = trial.Trials(budget=float(sys.argv[2]), own=OWN)
trials.sift(names)
why_not = [trials.why_not(name) for name in names]
there = [name for name in names if name in sys.modules]
print((trials.refused, trials.absent, there, len(tried), why_not))
"""
#: What became of some modules: refused, absent, imported, how many trials, why not by name.
Sifted = tuple[dict[str, str], list[str], list[str], int, list[str]]


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A directory of libraries."""
    return tmp_path


def sift(library: Path, *names: str, budget: float = 600, own: str = "None") -> Sifted:
    """What becomes of modules. With `own`, "()", where processes are to serve several requests."""
    done = run(library, SIFTS.replace("OWN", own), str(budget), *names)
    found: Sifted = ast.literal_eval(done)
    return found


def run(library: Path, source: str, *words: str) -> str:
    """What a process prints."""
    done = subprocess.run(
        [sys.executable, "-c", source, str(library), *words],
        env=clean_environ(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def put(library: Path, **sources: str) -> None:
    """Write modules; `a__b` is `b` in the package `a`."""
    for name, source in sources.items():
        path = library.joinpath(*name.split("__")).with_suffix(".py")
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(source))
        if "__" in name and not (path.parent / "__init__.py").exists():
            (path.parent / "__init__.py").write_text("")


def test_what_only_defines_things_is_imported(library: Path) -> None:
    put(library, tr_a="A = 1", tr_b="import tr_a")
    assert sift(library, "tr_a", "tr_b") == ({}, [], ["tr_a", "tr_b"], 2, ["", ""])


@pytest.mark.parametrize("at", [0, 150, MANY - 1])
def test_a_large_package_with_one_module_that_does_more(library: Path, at: int) -> None:
    """As with pandas, whose 700 modules were tried one by one, for ever."""
    put(library, **{f"tr_large__m{number}": "A = 1" for number in range(MANY)})
    put(library, **{f"tr_large__m{at}": "import os\nos.environ['TR_LARGE'] = '1'"})
    names = ["tr_large", *[f"tr_large.m{number}" for number in range(MANY)]]
    refused, _, there, tried, _ = sift(library, *names)
    assert list(refused) == [f"tr_large.m{at}"]
    assert set(there) == set(names) - set(refused)
    assert tried < 40  # two for what goes well, one for what does not, in halves


def test_a_package_that_is_refused_refuses_what_is_in_it(library: Path) -> None:
    put(library, **{f"tr_package__m{number}": "A = 1" for number in range(MANY)}, tr_c="C = 1")
    thread = "threading.Thread(target=time.sleep, args=(9,), daemon=True).start()"
    put(library, tr_package__m7=f"import threading, time\n{thread}")
    (library / "tr_package" / "__init__.py").write_text("from . import m7")
    names = ["tr_package", *[f"tr_package.m{number}" for number in range(MANY)]]
    refused, _, there, tried, why_not = sift(library, *names, "tr_c")
    assert list(refused) == ["tr_package"]
    assert why_not == [trial.MORE] * len(names) + [""]
    assert there == ["tr_c"]
    assert tried < 8


def test_a_module_that_differs_is_refused_with_all_that_import_it(library: Path) -> None:
    put(
        library,
        tr_chance="import random\nrng = random.Random()",
        tr_user="import tr_chance",
        tr_other="import random\nrng = random.Random(42)",
    )
    refused, _, there, *_ = sift(library, "tr_user", "tr_chance", "tr_other")
    assert refused == {"tr_chance": trial.CHANCE, "tr_user": trial.CHANCE}
    assert there == ["tr_other"]


def test_a_key_of_the_standard_library_is_not_shared(library: Path) -> None:
    """Processes of `multiprocessing` prove themselves with it; it was the same for all requests."""
    refused, *_ = sift(library, "multiprocessing.process", "multiprocessing.util")
    assert refused["multiprocessing.process"] == trial.CHANCE


def test_what_cannot_be_imported_is_absent_and_not_refused(library: Path) -> None:
    put(library, tr_d="import tr_nowhere", tr_e="E = 1")
    refused, absent, there, *_ = sift(library, "tr_d", "tr_e", "tr_nowhere")
    assert (refused, absent, there) == ({}, ["tr_d", "tr_nowhere"], ["tr_e"])


def test_a_module_that_waits_is_ended_with_all_that_it_has_started(library: Path) -> None:
    child = library / "child"
    put(
        library,
        tr_waits=f"""
        import os, time
        if not os.fork():
            open({str(child)!r}, "w").write(str(os.getpid()))
        time.sleep(1000)
        """,
    )
    assert one(library, "tr_waits", 1.0) == -9
    if child.exists() and child.read_text():  # on a busy machine it may not have come so far
        assert until(lambda: not alive(int(child.read_text())))


def test_when_the_time_is_over_the_rest_is_not_tried(library: Path) -> None:
    put(library, tr_f="F = 1", tr_g="G = 1")
    refused, _, there, tried, _ = sift(library, "tr_f", "tr_g", budget=-1)
    assert refused == {"tr_f": trial.UNTRIED, "tr_g": trial.UNTRIED}
    assert (there, tried) == ([], 0)


def one(library: Path, name: str, seconds: float) -> int:
    """How the trial of a module ends."""
    source = (
        f"import sys\nsys.path[:0] = [{str(ROOT)!r}, sys.argv[1]]\nfrom cgikit.warm import trial\n"
        f"print(trial.trial([{name!r}], 0, {seconds})[0])"
    )
    return int(run(library, source))


@pytest.mark.parametrize(
    ("source", "status"),
    [
        ("A = 1", HARMLESS),
        ("import tr_nowhere", ABSENT),
        ("import os\nos._exit(0)", 0),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", -9),
        ("print('noise')", 1),
        ("1 / 0", 1),
        ("import sys\nsys.exit()", 1),
    ],
)
def test_how_a_trial_ends(library: Path, source: str, status: int) -> None:
    put(library, tr_h=source)
    assert one(library, "tr_h", 600) == status


def test_the_supervisor_waits_longer_than_all_trials_take() -> None:
    assert trial.BUDGET + 2 * trial.MAX_TRIAL < supervisor.STARTING


#: Maps of memory, by what it is shared with.
MAPS = {
    "mmap.mmap(-1, 4096)": trial.SHARES,
    "mmap.mmap(os.memfd_create('tr'), 4096, access=mmap.ACCESS_WRITE)": 1,  # a descriptor as well
    "mmap.mmap(-1, 4096, prot=mmap.PROT_READ)": HARMLESS,
    "mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE)": HARMLESS,
}


@pytest.mark.parametrize("source", MAPS)
def test_memory_to_which_all_processes_would_write_is_not_preloaded(
    library: Path, source: str
) -> None:
    put(library, tr_map=f"import mmap, os\n{source}.read(1)\nMEMORY = {source}\n")
    assert one(library, "tr_map", 600) == MAPS[source]


def test_the_reason_says_that_memory_is_shared(library: Path) -> None:
    put(library, tr_memory="import mmap\nMEMORY = mmap.mmap(-1, 4096)", tr_i="I = 1")
    refused, _, there, *_ = sift(library, "tr_memory", "tr_i")
    assert (refused, there) == ({"tr_memory": trial.SHARED}, ["tr_i"])


#: What would keep each process from serving a second request, and what would not.
REUSE = {
    "import zlib\nPACKER = zlib.compressobj()": {"tr_reuse": trial.HIDDEN},
    "import _testcapi": {"tr_reuse": trial.HIDDEN},
    "import ctypes, json": {},
}


@pytest.mark.parametrize("source", REUSE)
def test_what_would_keep_processes_from_being_used_again_is_not_preloaded(
    library: Path, source: str
) -> None:
    if "_testcapi" in source:
        pytest.importorskip("_testcapi", reason="this Python has no module that nobody knows")
    put(library, tr_reuse=source)
    once, again = sift(library, "tr_reuse"), sift(library, "tr_reuse", own="()")
    assert (once[0], again[0]) == ({}, REUSE[source])
