"""The payload: what goes in comes out, what is not one is refused, and json agrees on both."""

import json
import math
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cgikit.sessions.payload import MAX_BYTES, MAX_DEPTH, Payload

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
TEXT = st.text(st.characters())  # lone surrogates too
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | NUMBERS | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
)
DICTS = st.dictionaries(TEXT, VALUES)


def same(one: Any, two: Any) -> bool:
    """Equal, and of the same types all the way down."""
    return repr(one) == repr(two)


@given(DICTS, DICTS, st.none() | NUMBERS, TEXT)
def test_what_goes_in_comes_out(data: Any, flash: Any, retired: float | None, csrf: str) -> None:
    payload = Payload(1.5)
    payload.data, payload.flash, payload.retired, payload.csrf = data, flash, retired, csrf
    payload.until = dict.fromkeys(data, 2.25)
    raw = payload.encode()
    found = Payload.decode(raw)
    for name in Payload.__slots__:
        assert same(getattr(found, name), getattr(payload, name)), name
    assert found.encode() == raw
    assert json.loads(raw)["data"] == data  # it is JSON to others as well
    assert raw.isascii()


@given(DICTS)
def test_any_json_of_the_right_shape_is_read(data: Any) -> None:
    raw = json.dumps({"v": 1, "created": 3, "data": data}, indent=1).encode()
    assert same(Payload.decode(raw).data, json.loads(raw)["data"])


@given(st.binary() | VALUES.map(lambda value: json.dumps(value).encode()))
@example(b"")
@example(b'{"v":1,"created":0}')
def test_whatever_comes_is_a_payload_or_a_value_error(raw: bytes) -> None:
    try:
        payload = Payload.decode(raw)
    except ValueError:
        return
    assert Payload.decode(payload.encode()).encode() == payload.encode()


@pytest.mark.parametrize(
    "raw",
    [
        b"", b" ", b"null", b"[]", b'"v"', b"{", b"{}", b'{"v":1}', b'{"v":2,"created":1}',
        b'{"v":1,"created":"1"}', b'{"v":1,"created":true}', b'{"v":1,"created":NaN}',
        b'{"v":1,"created":1e999}', b'{"v":1,"created":1}x', b'{"v":1,"created":1}\0',
        b'{"v":1,"created":1,"data":[]}', b'{"v":1,"created":1,"data":null}',
        b'{"v":1,"created":1,"flash":1}', b'{"v":1,"created":1,"until":{"a":"b"}}',
        b'{"v":1,"created":1,"csrf":1}', b'{"v":1,"created":1,"retired":null}',
        b'{"v":1,"created":1,"data":{"a":Infinity}}', b'{"v":1,"created":1,"data":{"a":-1e999}}',
        b'{"v":1,"created":1,"data":{"a":' + b"9" * 5_000 + b"}}",
        b'{"v":1,"created":1,"data":{"a":"\n"}}',
        b'\xef\xbb\xbf{"v":1,"created":1}', b'{"v":1,"created":1,"data":{"\xff":1}}',
        b"[" * 100_000, b'{"v":1,"created":1,"data":{"a":' * 300,
    ],
    ids=lambda raw: repr(raw[:45]),
)  # fmt: skip
def test_what_is_no_payload(raw: bytes) -> None:
    with pytest.raises(ValueError):
        Payload.decode(raw)


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def test_the_limits() -> None:
    payload = Payload(1)
    payload.data["deep"] = nested(MAX_DEPTH)
    assert Payload.decode(payload.encode()).data == payload.data
    payload.data["deep"] = nested(MAX_DEPTH + 1)
    with pytest.raises(ValueError, match=f"'deep'.*{MAX_DEPTH} levels deep"):
        payload.encode()
    raw = json.dumps({"v": 1, "created": 1, "data": payload.data}).encode()
    with pytest.raises(ValueError, match="deep"):
        Payload.decode(raw)
    payload.data = {"many": "[{" * 1_000}  # brackets in a text are no nesting
    assert Payload.decode(payload.encode()).data == payload.data

    payload.data = {"small": 1, "large": ""}
    room = MAX_BYTES - len(payload.encode())
    payload.data["large"] = "x" * room
    assert len(payload.encode()) == MAX_BYTES
    assert Payload.decode(payload.encode()).data == payload.data
    payload.data["large"] += "x"
    with pytest.raises(ValueError, match="'large'"):
        payload.encode()
    with pytest.raises(ValueError, match="more than"):
        Payload.decode(b" " * (MAX_BYTES + 1))


def test_names_with_an_end() -> None:
    payload = Payload(1)
    payload.data = {"a": 1, "b": 2, "c": 3}
    payload.until = {"a": 10, "b": 11, "gone": 99}
    assert payload.drop_expired(10)
    assert (payload.data, payload.until) == ({"b": 2, "c": 3}, {"b": 11})
    assert not payload.drop_expired(10)


def test_what_is_empty() -> None:
    payload = Payload(1)
    assert payload.is_empty
    for name, value in (("data", {"a": None}), ("flash", {"a": 0}), ("csrf", "x")):
        payload = Payload(1)
        setattr(payload, name, value)
        assert not payload.is_empty


def test_numbers_keep_every_bit() -> None:
    payload = Payload(math.nextafter(1.7e9, math.inf))
    payload.data = {"n": [math.pi, 5e-324, -0.0, 2**1_000]}
    found = Payload.decode(payload.encode())
    assert (found.created, found.data) == (payload.created, payload.data)
    assert math.copysign(1, found.data["n"][2]) == -1


#: JSON values that a place for a number, a text or an object may hold instead.
ODD = [
    "1" * 400, "-" + "1" * 400, "1" * 4_300, "1" * 4_301, "1e308", "1e309", "-1e999", "1E15", "NaN",
    "true", "null", '""', '"\\ud800"', "[]", "[[]]", "{}", '{"a":1}', '{"a":' + "1" * 400 + "}",
    '{"a":"\\u0000"}', '{"a":null}', '{"":{"":[]}}',
]  # fmt: skip


@pytest.mark.parametrize("place", ["v", "created", "data", "flash", "until", "csrf", "retired"])
@pytest.mark.parametrize("odd", ODD, ids=lambda odd: odd[:20])
def test_9_2_8_whatever_is_read_is_refused_or_can_be_written(place: str, odd: str) -> None:
    """An error of another kind would be a 500 for ever: only `ValueError` sets a record aside."""
    parts = {"v": "1", "created": "1.5", "data": '{"a":1}', place: odd}
    raw = "{" + ",".join(f'"{name}":{value}' for name, value in parts.items()) + "}"
    try:
        payload = Payload.decode(raw.encode())
    except ValueError:
        return
    assert Payload.decode(payload.encode()).data == payload.data
    payload.drop_expired(1.7e9)


@pytest.mark.parametrize("piece", ['"\u00fc"', "1E15", "1E2", '"\U0001f600"'], ids=ascii)
def test_what_is_longer_as_we_write_it_is_refused_when_it_is_read(piece: str) -> None:
    raw = '{"v":1,"created":1,"data":{"a":[' + piece
    room = MAX_BYTES - len(raw.encode()) - 4
    raw += ("," + piece) * (room // len(f",{piece}".encode())) + "]}}"
    with pytest.raises(ValueError, match="bytes"):
        Payload.decode(raw.encode())


def test_without_the_parts_in_c_it_is_the_same() -> None:
    """On a Python that has no _json: json itself is used."""
    program = """
import sys
sys.modules["_json"] = None
from cgikit.sessions.payload import Payload
payload = Payload(1.5)
payload.data = {"a": [1, 2.5, None, True, "\\u00fc\\ud800", {"b": -1}]}
raw = payload.encode()
assert Payload.decode(raw).data == payload.data
for wrong in (b"[", b"[NaN]", b'{"v":1,"created":1e999}', b"{}x", b"[" * 100_000):
    try:
        Payload.decode(wrong)
    except ValueError:
        continue
    raise SystemExit(wrong[:20])
sys.stdout.write(raw.decode())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    payload = Payload(1.5)
    payload.data = {"a": [1, 2.5, None, True, "\u00fc\ud800", {"b": -1}]}
    assert done.stdout.encode() == payload.encode()


def test_a_session_imports_no_json() -> None:
    program = (
        "from cgikit.sessions.payload import Payload; import sys; p = Payload(1);"
        "p.data['a'] = [1, {'b': 0.5}]; Payload.decode(p.encode());"
        "sys.exit(bool({'json', 're'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-IS", "-c", "pass"]).returncode == 0
    done = subprocess.run([sys.executable, "-c", "import sys; sys.exit('re' in sys.modules)"])
    if done.returncode == 0:  # nothing in this environment imports it at the start
        assert subprocess.run([sys.executable, "-c", program]).returncode == 0
