"""The command line of ISINDEX queries: R41, S27."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgikit.host.argv import query_arguments


@pytest.mark.parametrize(
    ("method", "query", "words"),
    [
        ("GET", "", []),
        ("GET", "a+b", ["a", "b"]),
        ("HEAD", "a%20b+c", ["a b", "c"]),
        ("POST", "a+b", []),
        ("GET", "a=b", []),
        ("GET", "a%3Db", ["a=b"]),
        ("GET", "a%2Bb", ["a+b"]),
        ("GET", "%zz+b", []),
        ("GET", "a%00+b", []),
        ("GET", "-d+x", []),  # S27
        ("GET", "x+%2Ds", []),
        ("GET", "a;rm+b", ["a;rm", "b"]),
        ("GET", "%FF", ["\udcff"]),
    ],
)
def test_r41_s27_isindex(method: str, query: str, words: list[str]) -> None:
    assert query_arguments(method, query) == words


@given(st.text(st.sampled_from("-+%2D0a\xff")))
def test_no_word_starts_an_option(query: str) -> None:
    words = query_arguments("GET", query)
    assert not any(word.startswith("-") or "\0" in word for word in words)
