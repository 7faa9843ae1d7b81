"""Escaping, against the standard library's."""

import html

import pytest
from hypothesis import given
from properties import any_texts, noisy

from cgikit import escape


@given(any_texts | noisy)
def test_it_is_what_the_standard_library_does_and_undoes(text: str) -> None:
    assert escape(text) == html.escape(text, quote=True)
    assert html.unescape(escape(text)) == text


@given(any_texts)
def test_nothing_that_opens_markup_is_left(text: str) -> None:
    """S4."""
    assert not set("<>\"'") & set(escape(f"<a b='{text}' c=\"&\">"))


@pytest.mark.parametrize(
    ("value", "shown"),
    [("", ""), ("&amp;", "&amp;amp;"), (5, "5"), (None, "None"), (["<"], "[&#x27;&lt;&#x27;]")],
)
def test_values(value: object, shown: str) -> None:
    assert escape(value) == shown


def test_an_object_s_own_text_is_escaped() -> None:
    class Evil(str):
        __slots__ = ()

        def __str__(self) -> str:
            return "<script>"

    assert escape(Evil("x")) == "&lt;script&gt;"
