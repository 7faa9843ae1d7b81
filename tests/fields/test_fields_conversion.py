"""From text to a value: what each kind takes, and the code of the message for everything else."""

import ast
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from properties import any_texts

from cgikit.fields import conversion
from cgikit.fields.conversion import Refused, accepted
from cgikit.fields.declared import TYPES, Field, declare
from cgikit.fields.messages import MESSAGES
from cgikit.upload import Upload


def convert(field: Field, text: str) -> Any:
    """The value of one text."""
    (value,) = conversion.convert(field, [text])
    return value


def code(text: str, **more: Any) -> str:
    """The code of the message for a text that is not valid."""
    with pytest.raises(Refused) as caught:
        convert(declare("a", **more), text)
    return caught.value.code


GOOD: list[tuple[dict[str, Any], str, Any]] = [
    ({"kind": int}, " -12 ", -12),
    ({"kind": "int", "min": 0, "max": 9}, "9", 9),
    ({"kind": float}, "1.5e3", 1500.0),
    ({"kind": Decimal}, "+10.20", Decimal("10.20")),
    ({"kind": Decimal}, ".5", Decimal("0.5")),
    ({"kind": bool}, "on", True),
    ({"kind": bool}, "no", False),
    ({"kind": date}, "2030-01-31", date(2030, 1, 31)),
    ({"kind": date}, "31 January 2030", date(2030, 1, 31)),
    ({"kind": datetime}, "2030-01-31T18:30", datetime(2030, 1, 31, 18, 30)),
    ({"kind": "datetime-local"}, "2030-01-31 18:30", datetime(2030, 1, 31, 18, 30)),
    ({}, "  Ada Lovelace ", "Ada Lovelace"),
    ({"strip": False}, " x ", " x "),
    ({"kind": "password"}, " x ", " x "),
    ({"kind": "text"}, "a\r\nb\rc\td\r\n", "a\nb\nc\td"),
    ({"kind": "text", "max": 3}, "a\r\nb", "a\nb"),
    ({"kind": "email"}, " ada@example.org ", "ada@example.org"),
    ({"kind": "url"}, "https://example.org/", "https://example.org/"),
    ({"pattern": "[A-Z]{3}"}, "ABC", "ABC"),
    ({"choices": ["a", "b"]}, "b", "b"),
    ({"choices": [1, 2]}, "2", 2),
    ({"choices": {1: "one", "Group": [2, (3, "three")]}}, "3", 3),
    ({"choices": {"Group": {4: "four"}}}, "4", 4),
    ({"choices": [date(2030, 1, 31)]}, "2030-01-31", date(2030, 1, 31)),
]


@pytest.mark.parametrize(("rules", "text", "value"), GOOD, ids=range(len(GOOD)))
def test_valid(rules: dict[str, Any], text: str, value: object) -> None:
    found = convert(declare("a", **rules), text)
    assert found == value
    assert type(found) is type(value)


BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"kind": int}, "1_000", "int"),
    ({"kind": int}, "٣", "int"),
    ({"kind": int}, "1.0", "int"),
    ({"kind": int}, "9" * 5000, "int"),
    ({"kind": int, "min": 1}, "0", "less"),
    ({"kind": int, "max": 1}, "2", "more"),
    ({"kind": float}, "nan", "number"),
    ({"kind": float}, "1e999", "number"),
    ({"kind": float, "max": 1}, "1.5", "more"),
    ({"kind": Decimal}, "NaN", "number"),
    ({"kind": Decimal}, "1e999999999", "number"),
    ({"kind": Decimal}, "1_0", "number"),
    ({"kind": Decimal}, "٣", "number"),
    ({"kind": Decimal}, ".", "number"),
    ({"kind": Decimal}, "-", "number"),
    ({"kind": Decimal}, "--1", "number"),
    ({"kind": Decimal}, "9" * 1001, "number"),
    ({"kind": Decimal, "min": 1}, "0.99", "less"),
    ({"kind": bool}, "maybe", "bool"),
    ({"kind": date}, "31.", "date"),
    ({"kind": date}, "2030-02-30", "date"),
    ({"kind": date, "min": date(2030, 1, 1)}, "2029-12-31", "early"),
    ({"kind": date, "max": date(2030, 1, 1)}, "2030-01-02", "late"),
    ({"kind": datetime}, "x", "datetime"),
    ({"kind": datetime, "min": datetime(2030, 1, 1)}, "2030-01-31T18:30+02:00", "datetime"),
    ({"min": 3}, "ab", "short"),
    ({"max": 3}, "abcd", "long"),
    ({}, "a\r\nBcc: everybody@example.org", "line"),
    ({}, "a\u2028b", "line"),
    ({"kind": "password"}, "a\0b", "line"),
    ({}, "a\ud800b", "line"),
    ({"kind": "text"}, "a\0b", "control"),
    ({"kind": "text"}, "a\x85b", "control"),
    ({"kind": "text"}, "\udfff", "control"),
    ({"kind": "email"}, "ada@example.org\nBcc: x@y", "line"),
    ({"kind": "email"}, "ada", "email"),
    ({"kind": "email", "max": 5}, "ada@example.org", "long"),
    ({"kind": "url"}, "javascript:alert(1)", "url"),
    ({"pattern": "[A-Z]{3}"}, "ABCD", "pattern"),
    ({"pattern": "[A-Z]{3}"}, "xABC", "pattern"),
    ({"pattern": "x*"}, "x" * 1001, "pattern"),
    ({"choices": ["a"]}, "A", "choice"),
    ({"choices": ["a"]}, " a", "choice"),
    ({"choices": [1]}, "1.0", "choice"),
    ({"choices": {"Group": ["a"]}}, "Group", "choice"),
]  # fmt: skip


@pytest.mark.parametrize(("rules", "text", "expected"), BAD, ids=range(len(BAD)))
def test_not_valid(rules: dict[str, Any], text: str, expected: str) -> None:
    assert code(text, **rules) == expected


def test_every_message_of_a_value_was_asked_for_above() -> None:
    """And each code that is raised has a message."""
    tree = ast.parse(Path(conversion.__file__).read_text())
    raised = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and node.value in MESSAGES
    } - {"type"}  # of an input, too
    kinds = {"small", "large", "type", *TYPES}
    assert raised - kinds - {expected for _, _, expected in BAD} == set()


@pytest.mark.parametrize("kind", [*(k for k in TYPES if k != "file")])
@pytest.mark.parametrize("text", ["", " ", "\r\n\t"])
def test_blank_is_no_value(kind: str, text: str) -> None:
    strip = None if kind != "password" else True
    assert convert(declare("a", kind, strip=strip), text) is None


def test_a_pattern_may_have_longer_texts_if_the_script_says_so() -> None:
    text = "x" * 2000
    assert convert(declare("a", pattern="x*", max=3000), text) == text


@pytest.mark.parametrize("kind", [*(k for k in TYPES if k != "file")])
@given(text=any_texts)
def test_every_text_is_a_value_or_refused(kind: str, text: str) -> None:
    try:
        value = convert(declare("a", kind), text)
    except Refused as refused:
        value = MESSAGES[refused.code]
    if isinstance(value, str):
        value.encode()
        assert value
        assert kind == "text" or value.splitlines() == [value]


def file(name: str, kind: str, size: int = 3) -> Upload:
    upload = Upload(name, kind)
    upload.write(b"x" * size)
    return upload


@pytest.mark.parametrize(
    ("accept", "name", "kind"),
    [("image/*", "a", "image/png"), ("image/png", "a", "image/png"), (".PNG,.jpg", "a.JPG", ""),
     (" image/gif , image/* ", "a", "image/png"), (None, "a", ""),
     ("text/plain", "a", "text/plain; charset=x")],
)  # fmt: skip
def test_files_of_the_types_that_are_asked_for(accept: str | None, name: str, kind: str) -> None:
    upload = file(name, kind)
    assert accepted(declare("f", "file", accept=accept), upload) is upload


@pytest.mark.parametrize(
    ("rules", "expected"),
    [({"accept": "image/*"}, "type"), ({"accept": ".png"}, "type"), ({"accept": "image/png"}, "type"),
     ({"max": 2}, "large"), ({"min": 4}, "small")],
)  # fmt: skip
def test_other_files(rules: dict[str, Any], expected: str) -> None:
    with pytest.raises(Refused) as caught:
        accepted(declare("f", "file", **rules), file("a.png.exe", "imagex/png"))
    assert caught.value.code == expected


def test_sizes_are_said_in_words() -> None:
    with pytest.raises(Refused) as caught:
        accepted(declare("f", "file", max=1 << 20), file("a", "", (1 << 20) + 1))
    assert caught.value.values == {"max": "1 MB"}
