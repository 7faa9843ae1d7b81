"""What parses a thing and what builds it stand in one module, and agree: every pair, in one list."""

import ast
import html
import io
import os
import re
import tempfile
from collections.abc import Callable
from typing import Any

import house
import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties import any_texts, texts

from cgikit import (
    append_line,
    cookies,
    dates,
    expiringfile,
    format_header,
    jsonfile,
    parse_header,
    querystring,
    read_lines,
    savedfields,
    signing,
)
from cgikit import html as cgikit_html
from cgikit.accelerate import inplace, message
from cgikit.headers import TOKEN
from cgikit.limits import DEFAULT_LIMITS
from cgikit.warm import requestfile
from cgikit.warm.messages import Unpacker, pack

tokens = st.text(sorted(TOKEN), min_size=1, max_size=20)
ascii_texts = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E))

# What an environment can hold, and its names
words = st.binary(max_size=20).map(lambda data: data.replace(b"\0", b"."))
names = st.binary(min_size=1, max_size=9).map(lambda data: re.sub(b"[\0=]", b".", data))


def through_query(pairs: Any) -> Any:
    return querystring.parse(querystring.build(pairs)).pairs()


def through_cookie(pair: Any) -> Any:
    (back,) = cookies.parse(cookies.build(*pair).partition(";")[0]).pairs()
    return back


def through_record(pairs: Any) -> Any:
    found = savedfields.read(io.BytesIO(savedfields.record(pairs)), DEFAULT_LIMITS)
    assert found is not None
    return found[1].pairs()


def through_lines(values: Any) -> Any:
    with tempfile.TemporaryDirectory() as place:
        path = os.path.join(place, "lines")
        open(path, "w").close()
        for value in values:
            append_line(path, value)
        return list(read_lines(path))


def through_pieces(messages: Any) -> Any:
    data, unpacker, found = b"".join(map(pack, messages)), Unpacker(), []
    for at in range(0, len(data), 3):
        found += unpacker.feed(data[at : at + 3])
    return found


def through_request_file(request: Any) -> Any:
    file = requestfile.write(request)
    try:
        return requestfile.read(file)
    finally:
        os.close(file)


def through_message(told: Any) -> Any:
    *before, variables = told
    block = b"".join(b"%b=%b\0" % pair for pair in variables.items())
    back = message.unpack(message.pack(*before, block)[message.HEAD :])
    variables = dict(zip(back.names, back.values, strict=True))
    return back.script, back.directory, back.umask, back.arguments, variables


def through_front(script: Any) -> Any:
    front = b"#!/usr/bin/python3 -IS\nimport os\n"
    back = inplace.kept(inplace.together(front, inplace.Kept(*script)))
    assert back is not None
    return back.data, back.mode, back.time


#: The functions of a pair, what goes round, and the way round.
PAIRS: list[tuple[str, set[str], st.SearchStrategy[Any], Callable[[Any], Any]]] = [
    (
        "urlencoded",
        {"querystring.build", "querystring.parse"},
        st.lists(st.tuples(texts, texts), max_size=20),
        through_query,
    ),
    (
        "saved fields",
        {"savedfields.record", "savedfields.read"},
        st.lists(st.tuples(texts, texts).filter(lambda pair: pair != ("", "")), max_size=20),
        through_record,
    ),
    (
        "cookie",
        {"cookies.build", "cookies.parse"},
        st.tuples(
            tokens.filter(lambda name: name[:2] != "__"), texts.filter(lambda t: len(t) < 300)
        ),
        through_cookie,
    ),
    (
        "signed value",
        {"signing.sign", "signing.unsign"},
        st.tuples(texts, texts, st.lists(st.binary(min_size=32), min_size=1, max_size=3)),
        lambda value: (
            value[0],
            signing.unsign(value[0], signing.sign(*value, 1e9), value[2][::-1], 1e9 + 5, max_age=5),
            value[2],
        ),
    ),
    (
        "header with parameters",
        {"parameters.format_header", "parameters.parse_header"},
        st.tuples(tokens, st.dictionaries(tokens.map(str.lower), ascii_texts)),
        lambda value: parse_header(format_header(*value)),
    ),
    (
        "JSON file",
        {"jsonfile.build_json", "jsonfile.parse_json"},
        st.dictionaries(any_texts, st.integers() | any_texts) | st.lists(any_texts),
        lambda value: jsonfile.parse_json("", jsonfile.build_json(value)),
    ),
    (
        "counters with an end",
        {"expiringfile.build", "expiringfile.parse"},
        st.dictionaries(
            any_texts.map(expiringfile.kept),
            st.tuples(st.integers(0, 10**13 - 1), st.integers(0, 10**10 - 1)),
        ),
        lambda value: expiringfile.parse("", expiringfile.build(value, b"k" * 32)),
    ),
    (
        "line of a counter with an end",
        {"expiringfile.line", "expiringfile.parse_line"},
        st.tuples(any_texts, st.integers(0, 10**13 - 1), st.integers(0, 10**10 - 1)),
        lambda value: expiringfile.parse_line(
            expiringfile.line(*value[1:], expiringfile.escape(value[0]))[:-1]
        ),
    ),
    (
        "lines of a file",
        {"lines.append_line"},
        st.lists(texts.filter(lambda text: not {"\n", "\r"} & set(text)), max_size=3),
        through_lines,
    ),
    (
        "HTTP date",
        {"dates.format_http_date", "dates.parse_http_date"},
        st.integers(-62_135_596_800, 253_402_300_799),
        lambda value: dates.parse_http_date(dates.format_http_date(value)),
    ),
    (
        "messages of the warm engine",
        {"warm.messages.pack", "warm.messages.Unpacker"},
        st.lists(
            st.tuples(
                texts, st.binary(max_size=300) | st.lists(texts) | st.dictionaries(texts, texts)
            )
        ),
        through_pieces,
    ),
    (
        "request of the warm engine",
        {"warm.requestfile.write", "warm.requestfile.read"},
        st.tuples(texts, st.lists(texts), st.lists(st.binary()), st.lists(st.binary())),
        through_request_file,
    ),
    (
        "message of a front",
        {"accelerate.message.pack", "accelerate.message.unpack"},
        st.tuples(
            words, words, st.integers(0, 0o777), st.lists(words), st.dictionaries(names, words)
        ),
        through_message,
    ),
    (
        "script kept in its front",
        {"accelerate.inplace.together", "accelerate.inplace.kept"},
        st.tuples(
            st.binary().map(lambda text: b"#!/usr/bin/python3\n" + text),
            st.integers(0, 0o7777),
            st.integers(0, 10**18),
        ),
        through_front,
    ),
    (
        "HTML text",
        {"html.escape"},
        texts,
        lambda value: html.unescape(cgikit_html.escape(value)),
    ),
]


@pytest.mark.parametrize(
    ("name", "functions", "values", "there_and_back"), PAIRS, ids=[p[0] for p in PAIRS]
)
@given(data=st.data())
def test_there_and_back(
    name: str, functions: set[str], values: Any, there_and_back: Any, data: Any
) -> None:
    value = data.draw(values)
    assert there_and_back(value) == value


def test_the_list_has_every_function_that_claims_an_inverse() -> None:
    claimed = set()
    for module in house.read():
        # Of sub-packages those that name their inverse; others have round trips of their own
        claim = "Inverse: `" if "." in module.name else "inverse"
        for node in ast.walk(ast.parse(module.source)):
            if not isinstance(node, ast.FunctionDef | ast.ClassDef):
                continue
            if claim in (ast.get_docstring(node) or ""):
                claimed.add(f"{module.name}.{node.name}")
    assert claimed == set().union(*(functions for _, functions, _, _ in PAIRS))
