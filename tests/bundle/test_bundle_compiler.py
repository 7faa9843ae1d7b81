"""The compiling program gives the same bytes for the same input, each time and from anywhere."""

import base64
import importlib.util
import marshal

import pytest

from cgikit.bundle.target import target

SETS = "A = {'a', 'b', 'c'}\ndef f(x): return x in {'one', 'two', 'three', 'four'}, 'text', 1.5\n"


def files(checked: bool) -> dict[str, object]:
    return {"files": [["k", "m.py", base64.b64encode(SETS.encode()).decode(), checked]]}


@pytest.mark.parametrize("kind", ["modules", "files", "first"])
def test_the_bytes_are_the_same(kind: str) -> None:
    face = f"{SETS}\n_COMPILED = ()\n"
    hot = [["b", ["b.py", SETS, "bytes"]], ["c", ["c.py", "import os\n" + SETS, "code"]]]
    order = {
        "modules": {"modules": [["k", "m.py", SETS]]},
        "files": files(True),
        "first": {"first": ["k", "m.py", face], "hot": hot},
    }[kind]
    first = target().compile(order)
    assert first["k"]
    assert all(target().compile(order) == first for _ in range(3))


def test_a_file_is_valid_by_its_hash_not_its_time() -> None:
    digest = importlib.util.source_hash(SETS.encode())
    for checked, flags in ((True, 3), (False, 1)):
        made = target().compile(files(checked))["k"]
        assert made[:16] == importlib.util.MAGIC_NUMBER + bytes([flags, 0, 0, 0]) + digest


def test_a_file_of_a_package_that_is_no_python_is_left_out() -> None:
    template = base64.b64encode(b"class {{name}}: = ").decode()
    assert target().compile({"files": [["k", "t.py", template, False]]}) == {}


def test_modules_are_in_the_table_of_the_first_and_import_os_late() -> None:
    hot = [["c", ["c.py", "\nimport os\nx = os\n", "code"]], ["b", ["b.py", "y = 2\n", "bytes"]]]
    made = target().compile({"first": ["k", "m.py", "\n_COMPILED = ()\n"], "hot": hot})["k"]
    names: dict[str, object] = {}
    exec(marshal.loads(made[16:]), names)
    (_, code), (_, packed) = names["_COMPILED"]
    assert code.co_names == ("cgikit", "_os", "os", "x")
    exec(marshal.loads(packed), names)
    assert names["y"] == 2
