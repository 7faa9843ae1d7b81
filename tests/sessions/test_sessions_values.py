"""The values of a session: which it takes, how they come back, and when they end. On files."""

import json
from pathlib import Path
from typing import Any

import pytest
from sessions.contract import NOW
from sessions.visiting import Clock, Visitor, put

from cgikit import FileStore, Session
from cgikit.sessions.store import key_of


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def visitor(tmp_path: Path, clock: Clock) -> Visitor:
    return Visitor(FileStore(tmp_path / "sessions", clock=clock, sweep_chance=0))


# --- values ---------------------------------------------------------------------------------------


VALUES = [None, True, False, 0, -(10**40), 0.1, 1e300, "", "ü\0\ud800\U0001f600", [], {}, [[{"": []}]],
          {"a": {"b": [1, None]}}]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_values_come_back_as_they_went(visitor: Visitor, value: object) -> None:
    visitor.visit(put("value", value))
    (found,) = visitor.visit(lambda session: list(session.values()))
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "value",
    [(1,), {1}, b"x", {1: 2}, {None: 1}, float("nan"), float("inf"), object(), 10**5000, [{"a": {2}}]],
    ids=["tuple", "set", "bytes", "int key", "None key", "nan", "inf", "object", "long", "nested"],
)  # fmt: skip
def test_what_is_not_json_names_the_key_and_saves_nothing(visitor: Visitor, value: object) -> None:
    visitor.visit(put("kept", 1))

    def change(session: Session) -> None:
        session["kept"] = 2
        session["wrong"] = value

    with pytest.raises(TypeError, match="session\\['wrong'\\]"):
        visitor.visit(change)
    assert visitor.visit(dict) == {"kept": 1}


def test_values_that_are_too_deep_or_too_large_are_refused(visitor: Visitor) -> None:
    deep: list[Any] = []
    for _ in range(99):
        deep = [deep]
    visitor.visit(put("deep", deep))
    assert visitor.visit(dict) == {"deep": deep}
    with pytest.raises(ValueError, match=r"session\['deep'\] is nested"):
        visitor.visit(put("deep", [deep]))
    own: list[Any] = []
    own.append(own)
    with pytest.raises(ValueError, match=r"session\['own'\] is nested"):
        visitor.visit(put("own", own))
    with pytest.raises(ValueError, match="'large'"):
        visitor.visit(put("large", "x" * (1 << 20)))
    assert visitor.visit(dict) == {"deep": deep}


def test_keys_are_str(visitor: Visitor) -> None:
    session = visitor.session()
    with pytest.raises(TypeError):
        session[1] = 1  # type: ignore[index]


def test_a_change_inside_a_value_is_seen(visitor: Visitor) -> None:
    visitor.visit(put("list", [1]))
    visitor.visit(lambda session: session["list"].append(2))
    assert visitor.visit(dict) == {"list": [1, 2]}


def test_the_mapping_is_a_whole_one(visitor: Visitor) -> None:
    def change(session: Session) -> None:
        session.update(a=1, b=2)
        assert session.setdefault("c", 3) == 3
        assert session.pop("a") == 1
        assert ("b" in session, "a" in session, len(session), [*session]) == (
            True, False, 2, ["b", "c"],
        )  # fmt: skip
        with pytest.raises(KeyError):
            session["a"]
        with pytest.raises(KeyError):
            del session["a"]

    visitor.visit(change)
    assert visitor.visit(dict) == {"b": 2, "c": 3}


# --- flash and values with an end -----------------------------------------------------------------


def test_a_flash_is_shown_once(visitor: Visitor) -> None:
    visitor.visit(lambda session: session.flash("notice", "Saved."))
    assert visitor.visit(dict) == {}
    assert visitor.visit(lambda session: (session.flash("notice"), session.flash("notice"))) == (
        "Saved.", None,
    )  # fmt: skip
    assert visitor.visit(lambda session: session.flash("notice")) is None


def test_a_value_with_an_end_ends(visitor: Visitor, clock: Clock) -> None:
    def change(session: Session) -> None:
        session.set("code", "1234", max_age=300)
        session["name"] = "Ada"

    visitor.visit(change)
    clock.pass_(299)
    assert visitor.visit(dict) == {"code": "1234", "name": "Ada"}
    clock.pass_(1)
    assert visitor.visit(dict) == {"name": "Ada"}
    record = visitor.store.load(key_of(visitor.cookie))
    assert record is not None
    assert "code" not in json.loads(record.payload)["data"]


def test_storing_it_again_keeps_it(visitor: Visitor, clock: Clock) -> None:
    visitor.visit(lambda session: session.set("code", 1, max_age=300))
    visitor.visit(put("code", 2))
    clock.pass_(301)
    assert visitor.visit(dict) == {"code": 2}


@pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan")])
def test_an_end_is_some_seconds_away(visitor: Visitor, seconds: float) -> None:
    session = visitor.session()
    with pytest.raises(ValueError, match="max_age"):
        session.set("a", 1, max_age=seconds)


def test_reading_with_an_ended_value_inside_changes_nothing(visitor: Visitor, clock: Clock) -> None:
    visitor.visit(put("a", 1))
    visitor.visit(lambda session: session.set("b", 2, max_age=5))
    clock.pass_(6)
    assert visitor.visit(dict, readonly=True) == {"a": 1}
