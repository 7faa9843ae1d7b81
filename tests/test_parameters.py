"""Header values with parameters: the corpus, what is refused, and the round trip."""

import corpus
import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties import CONTROLS, any_texts, as_environ, noisy, placements

from cgikit import format_header, parse_header
from cgikit.headers import TOKEN
from cgikit.parameters import disposition, split_list


@pytest.mark.parametrize(("raw", "expected"), corpus.cases("headers"))
def test_corpus(raw: bytes, expected: dict) -> None:
    assert parse_header(as_environ(raw)) == (expected["main"], expected["parameters"])


def test_the_corpus_is_whole() -> None:
    assert corpus.strays("headers") == []


@given(any_texts | noisy)
def test_any_text_gives_a_value(text: str) -> None:
    main, parameters = parse_header(text)
    assert isinstance(main, str)
    assert all(name == name.lower() and name for name in parameters)


@pytest.mark.parametrize(
    ("main", "parameters", "header"),
    [
        ("text/html", None, "text/html"),
        ("text/html", {}, "text/html"),
        ("text/html", {"charset": "utf-8"}, "text/html; charset=utf-8"),
        ("a", {"b": "", "c": "d e"}, 'a; b=""; c="d e"'),
        ("a", {"b": 'c"d\\e;f=g'}, 'a; b="c\\"d\\\\e;f=g"'),
        ("attachment", {"filename": "ü €?.txt"},
         "attachment; filename=\"_ __.txt\"; filename*=UTF-8''%C3%BC%20%E2%82%AC%3F.txt"),
        ("a", {"b": "ü*'%!#$&+-.^_`|~"},
         "a; b=\"_*'%!#$&+-.^_`|~\"; b*=UTF-8''%C3%BC%2A%27%25!#$&+-.^_`|~"),
    ],
)  # fmt: skip
def test_format(main: str, parameters: dict[str, str] | None, header: str) -> None:
    """RFC 8187 for what is not ASCII, after a stand-in that every reader understands."""
    assert format_header(main, parameters) == header


@pytest.mark.parametrize("bad", [c for c in CONTROLS if ord(c) < 0x80])
def test_no_control_gets_into_a_header(bad: str) -> None:
    """S1: every control, first, in the middle and last, in each part."""
    for text in placements(bad):
        with pytest.raises(ValueError, match=r"token|printable"):
            format_header(text)
        with pytest.raises(ValueError, match=r"token|printable"):
            format_header("a", {text: "b"})
        with pytest.raises(ValueError, match=r"token|printable"):
            format_header("a", {"b": text})


@pytest.mark.parametrize("bad", CONTROLS)
def test_no_control_gets_out_of_an_extended_value(bad: str) -> None:
    """S1: beside other non-ASCII, a control is refused or escaped, never sent raw."""
    for text in placements(bad, "väl"):
        try:
            header = format_header("a", {"b": text})
        except ValueError:
            continue
        assert header.isascii()
        assert header.isprintable()


@pytest.mark.parametrize("name", ["", "a b", "a=b", "a;b", 'a"', "ü", "a*b/c", "a:"])
def test_parameter_names_are_tokens(name: str) -> None:
    with pytest.raises(ValueError, match="token"):
        format_header("a", {name: "b"})


tokens = st.text(sorted(TOKEN), min_size=1)
printable = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E))


@given(tokens, st.dictionaries(tokens.map(str.lower), printable))
def test_what_is_formatted_is_parsed_the_same(main: str, parameters: dict[str, str]) -> None:
    assert parse_header(format_header(main, parameters)) == (main, parameters)


@given(st.text(st.characters(min_codepoint=0x80, exclude_categories=("Cs",)), min_size=1))
def test_the_extended_form_decodes_to_the_value(text: str) -> None:
    from urllib.parse import unquote

    parameters = parse_header(format_header("a", {"b": text}))[1]
    charset, language, encoded = parameters["b*"].split("'")
    assert (charset, language, unquote(encoded)) == ("UTF-8", "", text)
    assert len(parameters["b"]) == len(text)


@pytest.mark.parametrize("bad", ["/", "\r", "\n", "\0", "\u202e", "\u2028", "\ud800"])
@pytest.mark.parametrize("place", ["{}a", "a{}b", "a{}"])
def test_a_name_of_a_download_that_is_not_one_is_refused(bad: str, place: str) -> None:
    with pytest.raises(ValueError, match="is not a valid file name: it contains"):
        disposition(place.format(bad))


def test_a_download_has_a_name() -> None:
    with pytest.raises(ValueError, match="it is empty"):
        disposition("")
    assert disposition("a b.txt") == 'attachment; filename="a b.txt"'


@pytest.mark.parametrize(
    ("name", "shown"), [("100%.txt", "100%.txt"), ('a"b', "a_b"), ("a\\b", "a_b")]
)
def test_a_name_that_clients_would_misread_is_sent_in_both_forms(name: str, shown: str) -> None:
    first, second = disposition(name).removeprefix("attachment; filename=").split("; ")
    assert first.strip('"') == shown
    assert second.startswith("filename*=UTF-8''")


@pytest.mark.parametrize(
    ("value", "members"),
    [
        ("", []),
        (" , ,\t,", []),
        ("a, b ;c=d ,e", ["a", "b ;c=d", "e"]),
        ('a;b="c,d", e', ['a;b="c,d"', "e"]),
        ('a;b="c\\",d", e', ['a;b="c\\",d"', "e"]),
        ('a;b="c\\\\", e', ['a;b="c\\\\"', "e"]),
        ('a="", ,b="x"y"z,"', ['a=""', 'b="x"y"z,"']),
        ('a="b, c', ['a="b, c']),
    ],
)
def test_a_list_is_split_at_commas_outside_quotes(value: str, members: list[str]) -> None:
    assert list(split_list(value)) == members


@given(st.lists(st.text(st.sampled_from('ab,\\"'), max_size=5)))
def test_quoted_members_arrive_as_they_are(texts: list[str]) -> None:
    value = ",".join([format_header("", {"a": text})[2:] for text in texts])
    assert [parse_header(";" + member)[1]["a"] for member in split_list(value)] == texts
