"""compat.urlencoded: pairs of a query or a body, and the bytes of one."""

import io

import pytest

from cgikit.compat import limits
from cgikit.compat.urlencoded import Rules, whole


def test_pairs_are_decoded_in_order() -> None:
    pairs = Rules().pairs(b"a=1&b=%C3%BC&a=x+y&c&d=&=e&&%zz=%")
    assert pairs == [("a", "1"), ("b", "ü"), ("a", "x y"), ("", "e"), ("%zz", "%")]
    assert ("c", "") in Rules(keep_blank=1).pairs(b"c&d=")
    assert Rules().pairs(b"") == Rules().pairs(b"&&") == []


@pytest.mark.parametrize(
    ("encoding", "errors", "raw", "value"),
    [
        ("latin-1", "replace", b"a=\xfc%FC", "üü"),
        ("utf-8", "replace", b"a=\xff", "\ufffd"),
        ("utf-8", "surrogateescape", b"a=%ff", "\udcff"),
        ("UTF8", "ignore", b"a=%ff", ""),
        ("cp1252", "replace", b"a=%80", "€"),
    ],
)
def test_other_encodings_and_errors(encoding: str, errors: str, raw: bytes, value: str) -> None:
    assert Rules(encoding=encoding, errors=errors).pairs(raw) == [("a", value)]


def test_strict_refuses_what_is_no_field() -> None:
    for raw in (b"a", b"a=1&", b"&", b"a=1&b"):
        with pytest.raises(ValueError, match="bad query field: '"):
            Rules(strict=1).pairs(raw)
    assert Rules(strict=1).pairs(b"a=1&b=2") == [("a", "1"), ("b", "2")]
    with pytest.raises(UnicodeDecodeError):
        Rules(errors="strict").pairs(b"a=%ff")


def test_another_separator_lets_ampersands_be() -> None:
    assert Rules(separator=";").pairs(b"a=1&b;c=2") == [("a", "1&b"), ("c", "2")]
    assert Rules(separator=b"--").pairs(b"a=1--c=2") == [("a", "1"), ("c", "2")]
    for separator in ("", None, 1):
        with pytest.raises(ValueError, match="the separator is"):
            Rules(separator=separator)


def test_text_that_is_not_in_the_encoding_stands_as_it_is() -> None:
    assert Rules(encoding="ascii").text_pairs("ü=日%41") == [("ü", "日A")]
    assert Rules(encoding="latin-1").text_pairs("ü=%FC") == [("ü", "ü")]


def test_fields_are_counted_before_they_are_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="Max number"):
        Rules(most=2).pairs(b"a=1&b=2&")
    monkeypatch.setattr(limits, "fields", 2)
    assert len(Rules().pairs(b"&&&a=1&&&&b=2&&&&")) == 2
    for rules in (Rules(), Rules(encoding="ascii"), Rules(strict=1)):
        with pytest.raises(ValueError, match=r"limits\.fields"):
            rules.pairs(b"a=1&b=2&c=3")
    with pytest.raises(ValueError, match=r"limits\.fields"):
        Rules(encoding="ascii").text_pairs("ü=1&b=2&c=3")


class Slow(io.BytesIO):
    """A stream that gives a byte at a time."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(min(size or 0, 1))


def test_a_body_is_read_whole_whatever_the_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    assert whole(Slow(b"abcdef"), 4) == b"abcd"
    assert whole(io.BytesIO(b"abcdef"), -1) == b"abcdef"
    with pytest.raises(ValueError, match="cut off: 6 of 7 bytes came"):
        whole(Slow(b"abcdef"), 7)
    with pytest.raises(ValueError, match="should return bytes, got str"):
        whole(io.StringIO("abc"), 3)
    monkeypatch.setattr(limits, "memory", 5)
    for length in (6, -1):
        with pytest.raises(ValueError, match=r"limits\.memory"):
            whole(Slow(b"abcdef"), length)
