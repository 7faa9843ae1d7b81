"""Programs as trees: places, names and what cannot be read."""

import libcst as cst
import pytest

from cgikit.migrate.code import Code
from cgikit.migrate.rewrite import rewrite
from cgikit.migrate.source import NotMigrated


def test_places_are_bytes_and_lines_of_any_line_end() -> None:
    code = Code('a = "é"\r\nb = ("c")\r\n')
    name = next(node for node in code.each(cst.Name) if node.value == "b")
    text = list(code.each(cst.SimpleString))[1]
    assert (code.start(name), code.line(name)) == (10, 2)
    assert code.source(text) == '"c"'  # without the parentheses
    assert code.line_at(len(code.data)) == 3


def test_a_name_is_free_if_nothing_has_it() -> None:
    code = Code("def f(a): return a.b(c=d)\n")
    assert [name for name in "abcdfg" if code.is_free(name)] == ["b", "c", "g"]
    assert not code.is_free("with")


@pytest.mark.parametrize("name", ["eval", "exec", "globals", "locals", "vars"])
def test_reflection_is_seen(name: str) -> None:
    assert Code(f"print({name})\n").reflects
    assert not Code(f"print(x.{name})\n").reflects


def test_a_page_of_400_pieces_is_read_and_what_is_deeper_refused() -> None:
    pieces = "import cgi\nx = " + "+".join(["cgi.escape(y)"] * 400) + "\n"
    assert (rewrite(pieces.encode()).data or b"").count(b"quote=False") == 400
    with pytest.raises(NotMigrated, match="nested too deeply"):
        rewrite(b"import cgi\nx = " + b"-" * 100_000 + b"1\n")
