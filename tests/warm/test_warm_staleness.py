"""No script ever gets an old module or another one than a fresh interpreter would give it.

Nothing here waits for time to pass: files are changed between two requests, as fast as it goes.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from gatewayserving import FIRST_LINE, HEAD, Gateway, gateway
from serving import until

import cgikit
from cgikit.warm.program import Programs, stamp_of
from cgikit.warm.staleness import Staleness


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with cgikit and a library of our own; its site-packages."""
    place = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
    (packages,) = place.glob("lib/python*/site-packages")
    (packages / "cgikit").symlink_to(Path(cgikit.__file__).parent)
    return packages


@pytest.fixture(scope="module")
def served(environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway of that environment."""
    root = tmp_path_factory.mktemp("served")
    with gateway("fastcgi", root, "--workers", "1", executable=python(environment)) as server:
        yield server


def python(packages: Path) -> str:
    return str(packages.parents[2] / "bin" / "python")


def replaced(path: Path, text: str) -> None:
    """Write a file as editors do: the same length is no excuse, and neither is the same second."""
    path.write_text(text)


# --- the script itself ------------------------------------------------------------------------


def test_an_edited_script_is_the_new_one(warm: Gateway) -> None:
    for number in range(200):
        path = warm.script("edited.py", f"{HEAD}print({number:03})".replace("(0", "(10"))
        assert int(warm.request(path).text) % 1000 == number


@pytest.mark.parametrize("seconds", [0, 1, 1_000_000_000])
def test_the_time_stamp_may_stay_the_same(warm: Gateway, seconds: int) -> None:
    """`cp -p`, tar and rsync set it; the status change time cannot be set."""
    for number in range(100, 130):
        path = warm.script("stamped.py", f"{HEAD}print({number})")
        os.utime(warm.root / "stamped.py", (seconds, seconds))
        assert warm.request(path).text == f"{number}\n"


def test_a_script_that_was_left_alone_for_long_is_read_again_when_edited(warm: Gateway) -> None:
    path = warm.script("rested.py", f"{HEAD}print(1)")
    os.utime(warm.root / "rested.py", (1_000_000_000, 1_000_000_000))
    for _ in range(3):
        assert warm.request(path).text == "1\n"
    warm.script("rested.py", f"{HEAD}print(2)")
    assert warm.request(path).text == "2\n"


def test_a_script_that_is_replaced_by_renaming(warm: Gateway) -> None:
    for number in range(50):
        warm.script("next.py", f"{HEAD}print({number})")
        os.utime(warm.root / "next.py", (1_000_000_000, 1_000_000_000))
        os.replace(warm.root / "next.py", warm.root / "renamed.py")
        assert warm.request("/renamed.py").text == f"{number}\n"


def test_a_script_that_becomes_one_in_another_language_and_back(warm: Gateway) -> None:
    for _ in range(5):
        path = warm.script("language", f"{HEAD}print('python')")
        assert warm.request(path).text == "python\n"
        warm.put("language", "#!/bin/sh\necho Content-Type: text/plain; echo; echo shell")
        assert warm.request(path).text == "shell\n"


def test_a_script_that_is_switched_off_and_goes_away(warm: Gateway) -> None:
    path = warm.script("off.py", HEAD)
    file = warm.root / "off.py"
    for _ in range(3):
        file.chmod(0o755)
        assert warm.request(path).status == 200
        file.chmod(0o644)
        assert warm.request(path).status == 403
    file.unlink()
    assert warm.request(path).status == 404


def test_a_link_that_is_led_elsewhere(warm: Gateway) -> None:
    warm.script("real/one.py", f"{HEAD}import name; print(name.WHO)")
    warm.script("real/name.py", "WHO = 'real'")
    warm.script("other/one.py", f"{HEAD}import name; print(name.WHO)")
    warm.script("other/name.py", "WHO = 'other'")
    link = warm.root / "link.py"
    for _ in range(20):
        for target in ("real", "other"):
            (warm.root / "new").symlink_to(f"{target}/one.py")
            os.replace(warm.root / "new", link)
            assert warm.request("/link.py").text == f"{target}\n"


def test_a_directory_that_is_led_elsewhere(warm: Gateway) -> None:
    """As releases are switched: the path of the script stays."""
    for name in ("blue", "green"):
        warm.script(f"{name}/site.py", f"{HEAD}import part; print(part.COLOUR, __file__)")
        warm.script(f"{name}/part.py", f"COLOUR = '{name}'")
        os.utime(warm.root / name / "site.py", (1_000_000_000, 1_000_000_000))
    for _ in range(10):
        for name in ("blue", "green"):
            (warm.root / "new").symlink_to(name)
            os.replace(warm.root / "new", warm.root / "current")
            file = warm.root / "current" / "site.py"
            assert warm.request("/current/site.py").text == f"{name} {file}\n"


# --- modules beside it ----------------------------------------------------------------------------


def test_an_edited_module_beside_the_script(warm: Gateway) -> None:
    path = warm.script("uses.py", f"import beside\n{HEAD}print(beside.NUMBER)")
    for number in range(100, 200):
        warm.put("beside.py", f"NUMBER = {number}  # {'x' * (number % 3)}", 0o644)
        assert warm.request(path).text == f"{number}\n"


def test_an_edited_module_in_a_directory_that_the_script_adds(warm: Gateway) -> None:
    path = warm.script(
        "adds.py", f"import sys; sys.path.insert(0, 'lib')\nimport added\n{HEAD}print(added.NUMBER)"
    )
    for number in range(100, 150):
        warm.put("lib/added.py", f"NUMBER = {number}  # {'x' * (number % 3)}", 0o644)
        assert warm.request(path).text == f"{number}\n"


def test_modules_of_one_name_beside_different_scripts(warm: Gateway) -> None:
    for name in ("a", "b"):
        warm.script(f"{name}/index.py", f"import shared\n{HEAD}print(shared.WHO)")
        warm.put(f"{name}/shared.py", f"WHO = {name!r}")
    for _ in range(5):
        for name in ("a", "b"):
            assert warm.request(f"/{name}/index.py").text == f"{name}\n"


@pytest.mark.parametrize("module", ["html", "colorsys", "cgikit"])
def test_a_file_beside_the_script_hides_a_module_that_is_held_ready(
    warm: Gateway, module: str
) -> None:
    path = warm.script(
        f"hides-{module}/uses.py", f"import {module}\n{HEAD}print({module}.__file__)"
    )
    directory = warm.root / f"hides-{module}"
    ours = [directory / f"{module}.py", directory / module / "__init__.py"]
    found = warm.request(path).text
    assert found == warm.request(path).text
    for _ in range(5):
        for file in ours:
            file.parent.mkdir(exist_ok=True)
            file.write_text("")
            assert warm.request(path).text == f"{file}\n"
            file.unlink()
            if file.parent != directory:
                shutil.rmtree(file.parent)
            assert warm.request(path).text == found


# --- libraries ------------------------------------------------------------------------------------


def test_an_edited_library_is_never_the_old_one(served: Gateway, environment: Path) -> None:
    library = environment / "learntlib"
    (library / "inner").mkdir(parents=True)
    (library / "inner" / "__init__.py").write_text("")
    (library / "__init__.py").write_text("from .inner import part\n")
    path = served.script(
        "library.py",
        f"import sys\nheld = 'learntlib.inner.part' in sys.modules\nimport learntlib\n{HEAD}"
        "print(held, learntlib.part.NUMBER)",
    )

    def held(number: int) -> bool:
        """Whether it is preloaded; an error if it is not this one."""
        held, seen = served.request(path).text.split()
        assert seen == str(number)
        return held == "True"

    for number in range(100, 112):
        (library / "inner" / "part.py").write_text(f"NUMBER = {number}  # {'x' * (number % 4)}\n")
        assert not held(number)
        # Only when it is preloaded can an old one be there
        assert until(partial(held, number))


def test_a_library_that_goes_away_and_one_that_is_new(served: Gateway, environment: Path) -> None:
    path = served.script(
        "uses-comes.py",
        f"try: import comes; answer = comes.X\nexcept ImportError: answer = 'none'\n{HEAD}"
        "print(answer)",
    )
    for number in range(5):
        assert served.request(path).text == "none\n"
        (environment / "comes.py").write_text(f"X = {number}  # {'x' * number}")
        assert served.request(path).text == f"{number}\n"
        if number == 0:
            hold(served, "comes")
        assert served.request(path).text == f"{number}\n"
        (environment / "comes.py").unlink()


def test_a_library_hidden_by_another_of_its_name(served: Gateway, environment: Path) -> None:
    """A package is found before a module, and both were found before a third directory's."""
    path = served.script("uses-hidden.py", f"import hidden\n{HEAD}print(hidden.WHO)")
    (environment / "hidden.py").write_text("WHO = 'module'")
    assert served.request(path).text == "module\n"
    hold(served, "hidden")
    (environment / "hidden").mkdir()
    (environment / "hidden" / "__init__.py").write_text("WHO = 'package'")
    assert served.request(path).text == "package\n"
    shutil.rmtree(environment / "hidden")
    assert served.request(path).text == "module\n"


def test_a_submodule_that_is_new_in_a_package_held_ready(
    served: Gateway, environment: Path
) -> None:
    package = environment / "grows"
    package.mkdir()
    (package / "__init__.py").write_text("")
    path = served.script(
        "uses-grows.py",
        f"import grows\ntry: from grows import more; who = more.X\nexcept ImportError: who = 0\n{HEAD}"
        "print(who)",
    )
    assert served.request(path).text == "0\n"
    hold(served, "grows")
    assert served.request(path).text == "0\n"
    (package / "more.py").write_text("X = 1")
    assert served.request(path).text == "1\n"


def hold(server: Gateway, module: str) -> None:
    """Ask until a module is preloaded; an error if it is not in the end."""
    name = module.replace(".", "-")
    probe = server.script(
        f"probe-{name}.py",
        f"import sys\nheld = {module!r} in sys.modules\nimport {module}\n{HEAD}print(held)",
    )
    assert until(lambda: server.request(probe).text == "True\n"), module


# --- as a part, without processes ------------------------------------------------------------------


def test_what_changes_is_seen_at_once(tmp_path: Path) -> None:
    library, plain = tmp_path / "library.py", tmp_path / "plain.py"
    for file in (library, plain):
        file.write_text("")
        os.utime(file, (1_000_000_000, 1_000_000_000))  # what follows may come in the same tick
    fresh = Staleness({
        "library": (str(library), stamp_of(library.stat()), False),
        "plain": (str(plain), stamp_of(plain.stat()), True),
        "sys": ("", None, True),
    })  # fmt: skip
    assert fresh.stale() == ""
    library.write_text("")
    assert fresh.stale() == str(library)
    library.unlink()
    assert fresh.stale() == str(library)


@pytest.mark.parametrize(
    ("name", "hides"),
    [
        ("held.py", True),
        ("held.pyc", True),
        ("held.cpython-313-x86_64-linux-gnu.so", True),
        ("held/__init__.py", True),
        ("held/other.py", False),
        ("held.txt", False),
        ("held", False),
        ("holds.py", False),
    ],
)
def test_which_names_hide_a_module(tmp_path: Path, name: str, hides: bool) -> None:
    script = tmp_path / "script.py"
    script.write_text(FIRST_LINE)
    fresh = Staleness({"held": ("/elsewhere/held.py", None, False)})
    program = Programs("").get(str(script), script.stat())
    assert fresh.hidden_by(program) == ""
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text("")
    assert bool(fresh.hidden_by(program)) == hides
