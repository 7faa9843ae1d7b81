"""appendix: what stands behind a part of a page, for its owner."""

import pytest

from cgikit.appendix import CLOSERS, appendix


def test_it_is_escaped_and_ascii() -> None:
    box = appendix("<b>x</b>\n", "text/html; charset=x", ["é <script>", "\x1b[0m\u2028"])
    assert box.startswith(CLOSERS.encode())
    rest = box.removeprefix(CLOSERS.encode())
    assert rest.isascii()
    assert b"<script" not in rest
    assert b"&lt;b&gt;x&lt;/b&gt;\\n" in rest
    assert b"&#233; &lt;script&gt;\n\\x1b[0m\\u2028" in rest


@pytest.mark.parametrize(
    ("kind", "length"), [("text/plain", 4), ("image/png", 0), ("", 0), ("TEXT/HTML", 1)]
)
def test_it_is_text_in_text_and_nothing_in_anything_else(kind: str, length: int) -> None:
    found = appendix("It failed.", kind, ["why"]).decode().split("\n") if length else []
    assert bool(appendix("It failed.", kind)) == bool(length)
    if kind == "text/plain":
        assert found == ["", "", "It failed.", "why", ""]


def test_a_long_line_is_cut() -> None:
    assert len(appendix("x", "text/plain", ["y" * 100_000])) < 3_000
