"""update_json: nothing lost, nothing written for nothing, and no file of somebody's overwritten."""

import json
import os
from pathlib import Path

import pytest
from child import DEADLINE, environment, start, write_script
from hypothesis import given
from hypothesis import strategies as st
from properties import any_texts

from cgikit import LockTimeout, StorageError, update_json
from cgikit.jsonfile import build_json, parse_json


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "poll.json"


def test_a_file_is_read_changed_and_replaced(path: Path) -> None:
    with update_json(path) as votes:
        assert votes == {}
        votes["größe"] = 1
        votes["a"] = [None, True, 1.5, "x"]
    assert path.read_text() == '{"größe": 1, "a": [null, true, 1.5, "x"]}\n'
    with update_json(path) as votes:
        votes["a"].append({})  # deep inside
    assert json.loads(path.read_text()) == {"größe": 1, "a": [None, True, 1.5, "x", {}]}
    assert sorted(os.listdir(path.parent)) == ["poll.json", "poll.json.lock"]


def test_the_default_is_copied(path: Path) -> None:
    default = {"tea": [0]}
    with update_json(path, default=default) as votes:
        votes["tea"][0] += 1
    assert default == {"tea": [0]}
    with update_json(path, default=default) as votes:
        assert votes == {"tea": [1]}
    with update_json(path.parent / "list.json", default=[]) as entries:
        entries.append(1)
    assert (path.parent / "list.json").read_text() == "[1]\n"
    for bad in (0, "x", (), set()):
        with pytest.raises(TypeError, match="dict or a list"):
            update_json(path, default=bad)


def test_nothing_is_written_if_the_block_raises(path: Path) -> None:
    def fail() -> None:
        with update_json(path) as votes:
            votes["b"] = 2
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert not path.exists()
    path.write_bytes(b'{"a": 1}')
    with pytest.raises(KeyError):
        fail()
    assert path.read_bytes() == b'{"a": 1}'
    with update_json(path, timeout=0):
        pass  # the lock is free again


def test_nothing_is_written_if_nothing_changed(path: Path) -> None:
    with update_json(path, default={"a": 1}):
        pass
    assert not path.exists()
    path.write_bytes(b'  {"a" :1}')
    before = path.stat()
    with update_json(path) as votes:
        votes["a"] = 1
    assert path.read_bytes() == b'  {"a" :1}'
    assert path.stat().st_ino == before.st_ino


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "line 1, column 1: Expecting value"),
        (b"{", "line 1, column 2: "),
        (b'{"a": 1}\n{}', "line 2, column 1: Extra data"),
        (b'{\n  "a": 1,\n  b: 2}', "line 3, column 3: "),
        (b'{"a": "\xff"}', "line 1, column 8: not UTF-8"),
        (b'{"a": 1,\n "\xc3\xa4\xc3"}', "line 2, column 4: not UTF-8"),
        (b"5", "neither an object nor an array"),
        (b'"text"', "neither an object nor an array"),
        (b"null", "neither an object nor an array"),
        (b'{"a": NaN}', "NaN is not a number"),
        (b"[-Infinity]", "-Infinity is not a number"),
        (b"\xef\xbb\xbf{}", "BOM"),
        (b"[" * 200_000, "nested more than 500 levels deep"),
        (b"[" + b"9" * 5000 + b"]", "4300"),
    ],
)
def test_what_is_not_json_says_where_and_is_never_overwritten(
    path: Path, content: bytes, said: str
) -> None:
    path.write_bytes(content)
    with pytest.raises(StorageError, match=str(path)) as caught, update_json(path):
        pytest.fail("the block is not entered")
    assert said in str(caught.value)
    assert "correct it" in str(caught.value)
    assert str(path) not in caught.value.message
    assert path.read_bytes() == content
    path.write_bytes(b"{}")
    with update_json(path, timeout=0):
        pass  # the lock is free again


@pytest.mark.parametrize(
    ("key", "value", "error"),
    [
        ("a", {1}, TypeError),
        ("a", b"x", TypeError),
        ("a", float("nan"), ValueError),
        ("a", float("inf"), ValueError),
        (1, 1, TypeError),  # "1" in the file, and 1 never found again
        (None, 1, TypeError),
        (True, 1, TypeError),
        ((1, 2), 1, TypeError),
        ("a", [{"b": {2: 3}}], TypeError),
        ("a", ({2: 3},), TypeError),
    ],
)
def test_what_json_cannot_hold_is_not_written(
    path: Path, key: object, value: object, error: type[Exception]
) -> None:
    path.write_bytes(b'{"a": 1}')
    with pytest.raises(error), update_json(path) as votes:
        votes[key] = value
    assert path.read_bytes() == b'{"a": 1}'
    with update_json(path, timeout=0) as votes:
        votes["b"] = 1
    assert path.read_bytes() == b'{"a": 1, "b": 1}\n'


def test_a_circle_is_not_written(path: Path) -> None:
    with pytest.raises(ValueError, match="Circular"), update_json(path) as votes:
        votes["me"] = votes
    assert not path.exists()


def test_others_wait(path: Path) -> None:
    with update_json(path), pytest.raises(LockTimeout), update_json(path, timeout=0):
        pytest.fail("the block is not entered")
    with update_json(path, timeout=0):
        pass


VOTE = """
for i in range({times}):
    with update_json("poll.json", timeout=60) as votes:
        votes[sys.argv[1]] = votes.get(sys.argv[1], 0) + 1
        votes["all"] = votes.get("all", 0) + 1
"""


def test_r_no_vote_is_lost_among_many_processes(tmp_path: Path, path: Path) -> None:
    script = write_script(tmp_path, VOTE.format(times=200))
    everyone = [start(script, environment(), word) for word in "abcdefgh"]
    for process in everyone:
        assert process.communicate(timeout=DEADLINE) == (b"", b"")
    assert json.loads(path.read_text()) == {**dict.fromkeys("abcdefgh", 200), "all": 1600}


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | any_texts,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(any_texts, inner, max_size=5),
    max_leaves=20,
)


@given(st.dictionaries(any_texts, values, max_size=5))
def test_what_goes_in_comes_out(
    tmp_path_factory: pytest.TempPathFactory, content: dict[str, object]
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.unlink(missing_ok=True)
    with update_json(path) as found:
        found.update(content)
    with update_json(path) as found:
        assert found == content
        assert list(found) == list(content)  # in order
    assert parse_json("", build_json(content)) == content


@given(st.binary() | any_texts.map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_content_is_a_value_or_a_storage_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "noise.json"
    path.write_bytes(content)
    try:
        with update_json(path) as found:
            assert isinstance(found, dict | list)
    except StorageError:
        pass
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"a": 1e999}', "1e999 is too large a number"),
        (b'{"a": -1e999}', "-1e999 is too large a number"),
        (b"[" * 2_000 + b"]" * 2_000, "nested more than 500 levels deep"),
        (b"[" * 501 + b"1" + b"]" * 501, "nested more than 500 levels deep"),
        (b'{"a": %b}' % (b"1" * 5_000), "somewhere"),
    ],
)
def test_what_could_not_be_written_again_is_a_storage_error(
    path: Path, content: bytes, reason: str
) -> None:
    """9/2.8: a bare ValueError, a RecursionError."""
    path.write_bytes(content)
    with pytest.raises(StorageError, match=reason), update_json(path):
        pass
    assert path.read_bytes() == content


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("depth", [500, 501, 2_000, 100_000])
def test_what_is_nested_too_deeply_is_not_written(
    path: Path, depth: int, indent: int | None
) -> None:
    value: list[object] = []
    for _ in range(depth - 2):
        value = [value]
    if depth == 500:
        with update_json(path, default=[], indent=indent) as found:
            found.append(value)
        with update_json(path) as found:
            assert len(found) == 1
        return
    with (
        pytest.raises(ValueError, match="nested more than 500 levels deep"),
        update_json(path, default=[], indent=indent) as found,
    ):
        found.append(value)
    assert not path.exists()


def test_json_for_people(path: Path) -> None:
    with update_json(path, indent=2) as found:
        found["größe"] = [1, {}]
    assert path.read_text() == '{\n  "größe": [\n    1,\n    {}\n  ]\n}\n'
    before = path.stat()
    with update_json(path, indent=4):
        pass  # nothing changed
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    with update_json(path) as found:
        found["größe"].append(2)
    assert path.read_text() == '{"größe": [1, {}, 2]}\n'


@pytest.mark.parametrize("indent", [-1, 17])
def test_an_indent_that_is_none(path: Path, indent: int) -> None:
    with pytest.raises(ValueError, match="give 0 to 16, or None"):
        update_json(path, indent=indent)
