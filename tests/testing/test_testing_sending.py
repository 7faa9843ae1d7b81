"""A request of a test has one body, and more fields in its query."""

import pytest

from cgikit.formbody import URLENCODED
from cgikit.testing import sending


@pytest.mark.parametrize(
    ("url", "params", "whole"),
    [
        ("/x", None, "/x"),
        ("/x", {}, "/x"),
        ("/x", {"a": 1}, "/x?a=1"),
        ("/x?", {"a": 1}, "/x?a=1"),
        ("/x?b=2", [("a", "1"), ("a", "2")], "/x?b=2&a=1&a=2"),
    ],
)
def test_fields_of_the_query(url, params, whole) -> None:
    assert sending.query(url, params) == whole


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ({}, (None, "")),
        ({"data": {}}, (b"", URLENCODED)),
        ({"data": [("a", "1"), ("a", "2")]}, (b"a=1&a=2", URLENCODED)),
        ({"content": "é"}, ("é".encode(), "")),
        ({"json_value": {"a": 1}}, (b'{"a": 1}', "application/json")),
    ],
)
def test_one_kind_of_body(given, made) -> None:
    assert sending.body(**given) == made
