"""What all stores share: the rules of ids and keys, and the policy."""

import hashlib
import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sessions import hostile
from sessions.contract import BAD_KEYS, DAY, NOW
from sessions.forked import Forked, Line

from cgikit import FileStore
from cgikit.sessions.store import Record, check_key, is_id, is_key, key_of, new_id


def test_ids_are_256_bits_and_no_two_alike() -> None:
    """S8."""
    ids = {new_id() for _ in range(10_000)}
    assert len(ids) == 10_000
    assert all(map(is_id, ids))
    assert len({char for id_ in ids for char in id_}) == 64


def test_a_fork_draws_others() -> None:
    """S8: the state of a generator would be the same on both sides."""

    def draw(line: Line) -> None:
        line.hear()
        line.tell(new_id())

    with Forked(draw) as one, Forked(draw) as two:
        one.tell("go")
        two.tell("go")
        assert len({new_id(), one.hear(), two.hear()}) == 3


@pytest.mark.parametrize("text", hostile.malformed(), ids=lambda text: repr(text)[:40])
def test_what_is_no_id_is_known(text: str) -> None:
    from urllib.parse import unquote

    assert not is_id(text)
    assert not is_id(unquote(text))


@given(st.binary(min_size=32, max_size=32))
def test_every_32_bytes_are_one_id(raw: bytes) -> None:
    from base64 import urlsafe_b64decode, urlsafe_b64encode

    text = urlsafe_b64encode(raw).decode().rstrip("=")
    assert is_id(text)
    assert urlsafe_b64decode(text + "=") == raw


@given(st.text())
def test_any_text_is_an_id_or_not(text: str) -> None:
    if is_id(text):
        assert len(text) == 43
    else:
        with pytest.raises(ValueError, match="not a session id"):
            key_of(text)


def test_a_key_is_the_sha256_of_the_id() -> None:
    for _ in range(100):
        id_ = new_id()
        assert key_of(id_) == hashlib.sha256(id_.encode()).hexdigest()
        assert is_key(key_of(id_))
        check_key(key_of(id_))


@pytest.mark.parametrize("text", [*BAD_KEYS, "A" * 43], ids=repr)
def test_what_is_no_key_is_known(text: str) -> None:
    assert not is_key(text)
    with pytest.raises(ValueError, match="not a valid key"):
        check_key(text)


@pytest.mark.parametrize(
    "policy", [{"idle": 0}, {"idle": -1}, {"absolute": 0}, {"grace": -1}, {"lock_timeout": -1}]
)
def test_a_policy_that_cannot_be(policy: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="seconds"):
        FileStore("nowhere", **policy)


@pytest.mark.parametrize(
    ("accessed", "expires", "live"),
    [
        (0, 1, True), (-7_199.9, 1, True), (-7_200, DAY, False), (0, 0, False), (0, -1, False),
        (DAY, DAY, True),
    ],
)  # fmt: skip
def test_who_lives(accessed: float, expires: float, live: bool) -> None:
    store = FileStore("nowhere")
    assert store.is_live(Record(b"", NOW + accessed, NOW + expires), NOW) is live


def test_no_stamp_lies_further_ahead_than_it_can() -> None:
    store = FileStore("nowhere")
    sound = Record(b"x", NOW + 60, NOW + DAY + 60)  # clocks of two machines may differ a little
    assert store.clamped(sound, NOW) is sound
    mended = store.clamped(Record(b"x", NOW + 61, NOW + DAY + 61), NOW)
    assert (mended.payload, mended.accessed, mended.expires) == (b"x", NOW, NOW + DAY)


def test_opening_a_store_touches_nothing(tmp_path: Any) -> None:
    FileStore(tmp_path / "sessions")
    assert os.listdir(tmp_path) == []
