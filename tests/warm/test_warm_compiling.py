"""A script's code, or None: whatever the compiler does, the process that asks for it lives."""

import os
from pathlib import Path

import pytest
from gatewayserving import children

from cgikit.warm import compiling
from cgikit.warm.compiling import MAX_SOURCE, compiled

# The tests' own threads: the process that forks for a gateway has none
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")


def put(place: Path, source: str | bytes) -> str:
    file = place / "script.py"
    file.write_bytes(source.encode() if isinstance(source, str) else source)
    return str(file)


def test_code_is_what_compile_makes_of_it(tmp_path: Path) -> None:
    file = put(tmp_path, "#!/usr/bin/env python3\n'''doc'''\nx = [i for i in (1, 2)]\n")
    code = compiled(file, [])
    assert code == compile(Path(file).read_bytes(), file, "exec", dont_inherit=True)
    assert code is not None
    assert code.co_filename == file


@pytest.mark.parametrize(
    "source",
    [
        "x = " + "1+" * 20_000 + "1",
        "x = " + "-" * 100_000 + "1",
        "x = (",
        b"x = 1\0",
        b"\xff",
        "# coding: nonsense\n",
        "#" * (MAX_SOURCE + 1),
    ],
)
def test_what_cannot_be_compiled_is_none(tmp_path: Path, source: str | bytes) -> None:
    """Or is code, on a version of Python that can."""
    code = compiled(put(tmp_path, source), [])
    assert code is None or code.co_filename.endswith("script.py")


def test_what_is_no_file_is_none(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("away", "pipe", "."):
        assert compiled(str(tmp_path / name), []) is None


def test_a_compiler_that_does_not_come_to_an_end_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiling, "COMPILING", 0)
    assert compiled(put(tmp_path, "x = 1"), []) is None


def test_a_compiler_that_dies_in_the_middle_gives_nothing(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.write(writer, (100).to_bytes(8, "big") + b"the beginning")
    os.close(writer)
    assert compiling._all(reader) == b""
    os.close(reader)


def test_nothing_is_left(tmp_path: Path) -> None:
    before = children(os.getpid()), len(os.listdir("/proc/self/fd"))
    compiled(put(tmp_path, "x = 1"), [])
    assert (children(os.getpid()), len(os.listdir("/proc/self/fd"))) == before
