"""`install()`: `import cgi` finds cgikit's, where Python has none, and everything can be undone.

Each case runs in a process of its own. On a Python that still has the modules they are hidden first,
as if it were 3.13, unless the case is about them.
"""

import subprocess
import sys
from pathlib import Path

import pytest
from hiding import HIDE

OTHER = "who = 'another'\nclass FieldStorage: pass\n"


def run(code: str, *words: str, hide: bool = True) -> list[str]:
    """The lines that a process prints which runs this code."""
    done = subprocess.run(
        [sys.executable, "-c", HIDE * hide + code, *words],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_without_it_there_is_no_cgi() -> None:
    code = "try: import cgi\nexcept ModuleNotFoundError as error: print(error)"
    assert run(code) == ["No module named 'cgi'"]


def test_both_modules_are_found_and_are_ours() -> None:
    code = """
from cgikit import compat
print(compat.install(), compat.is_installed(), "cgikit.compat.cgi" in sys.modules)
import cgi, cgitb
import cgikit.compat.cgi
print(cgi is cgikit.compat.cgi, cgi.FieldStorage, cgitb.enable.__name__)
"""
    first, second = run(code)
    assert first == "True True False"  # nothing is imported before it is asked for
    assert second == "True <class 'cgikit.compat.cgi.FieldStorage'> enable"


def test_it_can_be_reloaded_and_found() -> None:
    code = """
import importlib, importlib.util
from cgikit.compat import install
install()
print(importlib.util.find_spec("cgi").origin)
import cgi
cgi.FieldStorage = None
again = importlib.reload(cgi)
print(again is cgi is sys.modules["cgi"], cgi.FieldStorage is None, bool(cgi.__spec__.loader))
print(importlib.util.find_spec("cgi") is cgi.__spec__)
"""
    assert run(code) == ["cgikit.compat.cgi", "True False True", "True"]


def test_twice_is_once_and_it_can_be_undone() -> None:
    code = """
from cgikit import compat
before = list(sys.meta_path)
compat.uninstall()
compat.install(), compat.install(), compat.install(replace=True), compat.install()
print(len(sys.meta_path) - len(before))
import cgi
compat.uninstall()
print(sys.meta_path == before, "cgi" in sys.modules, compat.is_installed())
try: import cgi
except ModuleNotFoundError as error: print(error)
print(compat.install())
import cgi
print(cgi.__name__)
"""
    assert run(code) == [
        "1",
        "True False False",
        "No module named 'cgi'",
        "True",
        "cgikit.compat.cgi",
    ]


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize("before", [False, True])
def test_another_module_stays_unless_it_is_to_be_replaced(
    tmp_path: Path, replace: bool, before: bool
) -> None:
    (tmp_path / "cgi.py").write_text(OTHER)
    (tmp_path / "cgitb.py").write_text(OTHER)
    code = f"""
sys.path.insert(0, sys.argv[1])
if {before}:
    import cgi as kept
from cgikit import compat
print(compat.install(replace={replace}))
import cgi
print(getattr(cgi, "who", "ours"))
if {before}:
    print(kept.who)
compat.uninstall()
import cgi
print(cgi.who)
"""
    ours = "ours" if replace else "another"
    kept = ["another"] if before else []
    assert run(code, str(tmp_path)) == [str(replace), ours, *kept, "another"]


def test_the_module_as_it_was_stays() -> None:
    """The standard library's own, and legacy-cgi's on Python 3.13."""
    code = """
import warnings; warnings.simplefilter("ignore")
from cgikit import compat
print(compat.install())
import cgi
print(cgi.__name__)
print(compat.install(replace=True), sys.modules["cgi"].__name__)
compat.uninstall()
print(sys.modules["cgi"] is cgi)
"""
    assert run("import sys\n" + code, hide=False) == [
        "False", "cgi", "True cgikit.compat.cgi", "True",
    ]  # fmt: skip


def test_nobody_gets_a_module_that_is_not_filled_yet() -> None:
    """A thread that imports it at the same moment keeps what it finds in `sys.modules`."""
    code = """
from cgikit.compat import install
install()
class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "cgikit.compat.cgi":
            print(sys.modules.get("cgi"))
sys.meta_path.insert(0, Watch())
import cgi
print(cgi.__spec__.name, cgi.FieldStorage.__name__)
"""
    assert run(code) == ["None", "cgikit.compat.cgi FieldStorage"]


def test_an_import_never_fails_while_another_thread_installs() -> None:
    """`install()` took its finder away and put it back: an import in between found no module."""
    code = """
import threading
from cgikit import compat
class Watched(list):
    def remove(self, item): self.note(); list.remove(self, item); self.note()
    def insert(self, at, item): list.insert(self, at, item); self.note()
    def append(self, item): list.append(self, item); self.note()
    def __delitem__(self, at): list.__delitem__(self, at); self.note()
    def note(self): seen.append(sum(type(finder).__name__ == "_Finder" for finder in self))
seen = []
compat.install()
sys.meta_path = Watched(sys.meta_path)
compat.install(), compat.install(replace=True), compat.install(), compat.install(replace=True)
print(min(seen), compat.is_installed())
compat.uninstall()
print(compat.is_installed())
"""
    assert run(code) == ["1 True", "False"]


@pytest.mark.parametrize("replace", [False, True])
def test_a_directory_of_that_name_is_no_module(tmp_path: Path, replace: bool) -> None:
    """A folder cgi/ with scripts, beside an application, was what `import cgi` found."""
    (tmp_path / "cgi").mkdir()
    code = f"""
sys.path.insert(0, sys.argv[1])
from cgikit import compat
print(compat.install(replace={replace}), compat.is_installed())
import cgi
print(cgi.__name__)
compat.uninstall()
import cgi
print(cgi.__name__, hasattr(cgi, "FieldStorage"))
"""
    assert run(code, str(tmp_path)) == ["True True", "cgikit.compat.cgi", "cgi False"]


def test_threads_that_install_at_the_same_moment_install_once() -> None:
    code = """
import threading, time
from cgikit import compat
from cgikit.compat import finder
found = finder._installed
def slowly():
    there = found()
    event.wait(0.2) if threading.current_thread() is first else event.set()
    return there
event = threading.Event()
finder._installed = slowly
first, second = (threading.Thread(target=compat.install) for _ in range(2))
first.start(), second.start(), first.join(), second.join()
finder._installed = found
print(sum(type(finder).__name__ == "_Finder" for finder in sys.meta_path))
"""
    assert run(code) == ["1"]


def test_threads_and_an_application_may_import_at_the_same_time() -> None:
    code = """
import threading
from concurrent.futures import ThreadPoolExecutor
from cgikit.compat import install
install()
start = threading.Barrier(8)
def application(environ, start_response):
    start.wait(60)
    import cgi
    form = cgi.FieldStorage(environ=environ, fp=None)
    return [form.getvalue("n").encode(), str(id(cgi)).encode()]
with ThreadPoolExecutor(8) as pool:
    asked = [{"REQUEST_METHOD": "GET", "QUERY_STRING": f"n={n}"} for n in range(8)]
    answers = list(pool.map(lambda environ: application(environ, None), asked))
print(*[n.decode() for n, _ in answers], len({module for _, module in answers}))
"""
    assert run(code) == ["0 1 2 3 4 5 6 7 1"]


# --- python -m cgikit.compat ------------------------------------------------------------------

SCRIPT = """import sys
import cgi
import beside
form = cgi.FieldStorage()
print("Content-Type: text/plain\\n")
print(form.getvalue("name"), __name__, __file__ == sys.argv[0], sys.argv[1:], beside.x, __doc__,
      {"install", "main", "os"} & set(globals()), sys.modules["__main__"].form is form)
"""


def as_script(path: Path, *words: str, query: str = "") -> "subprocess.CompletedProcess[str]":
    """Run a script by the command."""
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "cgikit.compat", str(path), *words],
        env={"REQUEST_METHOD": "GET", "QUERY_STRING": query},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_a_script_runs_as_it_would_by_itself(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("x = 7\n")
    (tmp_path / "old.py").write_text(SCRIPT)
    done = as_script(tmp_path / "old.py", "one", query="name=Ada")
    assert done.stderr == ""
    assert done.stdout == (
        "Content-Type: text/plain\n\nAda __main__ True ['one'] 7 None set() True\n"
    )


@pytest.mark.parametrize(
    ("source", "status", "said"),
    [
        ("raise SystemExit(3)", 3, ""),
        ("1 / 0", 1, "ZeroDivisionError"),
        ("def:", 1, "SyntaxError"),
        ("import sys; sys.exit('no')", 1, "no\n"),
    ],
)
def test_a_script_ends_as_it_would_by_itself(
    tmp_path: Path, source: str, status: int, said: str
) -> None:
    (tmp_path / "old.py").write_text(source)
    done = as_script(tmp_path / "old.py")
    assert done.returncode == status
    assert said in done.stderr
    assert "cgikit/compat/__main__.py" not in done.stderr


def test_the_command_says_how_it_is_used(tmp_path: Path) -> None:
    missing = as_script(tmp_path / "none.py")
    assert (missing.returncode, missing.stdout) == (2, "")
    assert (
        missing.stderr
        == f"python -m cgikit.compat: {tmp_path}/none.py: No such file or directory\n"
    )
    helped = as_script(Path("--help"))
    assert helped.returncode == 0
    assert helped.stdout.startswith("usage: python -m cgikit.compat SCRIPT")
