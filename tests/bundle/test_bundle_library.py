"""The library of a bundle: small, complete, the same each time, and faster than a folder of modules."""

import ast
import io
import subprocess
import sys
import tokenize
from pathlib import Path

import house
import pytest
from posting import clean_environ

from cgikit.bundle import library
from cgikit.bundle.target import target

LIMIT = 400_000  # bytes for the core with multipart
FORM = {"run", "form", "files", "escape"}


def test_the_core_with_multipart_is_small() -> None:
    made = library.files(library.modules(FORM), FORM, target())
    assert sum(map(len, made.values())) <= LIMIT


def test_all_that_a_script_can_reach_is_carried() -> None:
    carried = library.modules({"run"})
    assert {"multipart", "cgikit.multipart", "cgikit.debug", "cgikit.persistent.worker"} <= set(
        carried
    )
    assert not {"cgikit.cli", "cgikit.host", "cgikit.warm", "cgikit.sessions.file"} & set(carried)
    assert "cgikit.sessions.file" in library.modules({"FileStore"})
    assert "cgikit.compat.cgi" in library.modules({"cgikit.compat.cgi"})
    assert "cgikit.fields.conversion" in library.modules({"cgikit.fields"})


def test_the_files_are_the_same_each_time() -> None:
    first, second = (library.files(library.modules(FORM), FORM, target()) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    "module", [one for one in house.read() if one.name], ids=lambda one: one.name
)
def test_a_source_without_comments_says_the_same_in_the_same_lines(module: house.Module) -> None:
    def said(source: str) -> str:
        tree = ast.parse(source)
        for node in ast.walk(tree):
            if isinstance(node, library._DOCUMENTED) and ast.get_docstring(node) is not None:
                node.body[0].value = ast.Constant("")  # type: ignore[attr-defined]
        return ast.dump(tree) + repr([getattr(node, "lineno", 0) for node in ast.walk(tree)])

    plain = library.plain(module.source)
    tokens = tokenize.generate_tokens(io.StringIO(plain).readline)
    assert [token for token in tokens if token.type == tokenize.COMMENT] == []
    assert said(plain) == said(module.source)


def test_what_every_request_imports_is_in_the_first_file(tmp_path: Path) -> None:
    """A request that opens another file of the library for what each one needs is a slow one."""
    for path, data in library.files(library.modules({"run"}), {"run"}, target()).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    (tmp_path / "library.bin").unlink()
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); __file__ = '/x/script.py'\n"
        "from cgikit import run; run(lambda request: 'ok'); del __file__\n"
    )
    done = subprocess.run(
        [sys.executable, "-IS", "-c", code, str(tmp_path)],
        env={**clean_environ(), "REQUEST_METHOD": "GET"},
        capture_output=True,
        text=True,
    )
    assert (done.stdout.partition("\n\n")[2], done.stderr) == ("ok", "")
