"""Signed values: what a visitor changed, kept too long or took from elsewhere is not accepted."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties import any_texts, noisy

from cgikit.signing import hmac_sha256, sign, unsign

KEY, OTHER = b"k" * 32, "o" * 32
NOW = 1_700_000_000


@pytest.mark.parametrize("length", [0, 1, 31, 32, 63, 64, 65, 200])
def test_the_code_is_that_of_the_standard_library(length: int) -> None:
    for message in (b"", b"message", bytes(range(256)) * 5):
        key = bytes(range(length))
        assert hmac_sha256(key, message) == hmac.new(key, message, hashlib.sha256).hexdigest()


def test_the_code_is_that_of_rfc_4231() -> None:
    assert hmac_sha256(b"Jefe", b"what do ya want for nothing?") == (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )


def test_the_format_stays() -> None:
    """What was signed by one version must be accepted by the next."""
    signed = sign("user", "ann", KEY, NOW)
    assert signed == (
        "1.1700000000.c95c235d0cbce1418e0276240606a6e4048fc48f93677073dcb47eec3bbd1e53.ann"
    )
    assert unsign("user", signed, KEY, NOW, max_age=0) == "ann"


@given(value=any_texts, at=st.integers(0, 200), put=any_texts, cut=st.integers(0, 3))
def test_no_change_is_accepted(value: str, at: int, put: str, cut: int) -> None:
    try:
        signed = sign("p", value, KEY, NOW)
    except ValueError:
        return
    changed = signed[:at] + put + signed[at + cut :]
    expected = value if changed == signed else None
    assert unsign("p", changed, [OTHER, KEY], NOW, max_age=None) == expected


@given(any_texts | noisy | (any_texts | noisy).map(lambda text: f"1.1700000000.{text}"))
def test_any_text_is_no_signed_value(text: str) -> None:
    assert unsign("p", text, KEY, NOW, max_age=None) is None


@pytest.mark.parametrize("bit", range(8))
def test_no_bit_of_the_signature_may_differ(bit: int) -> None:
    version, time, signature, value = sign("p", "v", KEY, NOW).split(".")
    for at in range(64):
        changed = signature[:at] + chr(ord(signature[at]) ^ (1 << bit)) + signature[at + 1 :]
        forged = ".".join([version, time, changed, value])
        assert unsign("p", forged, KEY, NOW, max_age=None) is None


@pytest.mark.parametrize(
    ("purpose", "value", "other", "shifted"),
    [
        ("ab", "c", "a", "bc"),
        ("p", "v", "", "v"),
        ("p\x001700000000", "v", "p", "1700000000\0v"),
        ("p", "1700000000\0v", "p\x001700000000", "v"),
    ],
)
def test_a_signature_is_for_one_purpose(purpose, value, other, shifted) -> None:
    mac = sign(purpose, value, KEY, NOW).split(".")[2]
    assert unsign(purpose, f"1.{NOW}.{mac}.{value}", KEY, NOW, max_age=0) == value
    assert unsign(other, f"1.{NOW}.{mac}.{shifted}", KEY, NOW, max_age=0) is None


@pytest.mark.parametrize(
    ("age", "max_age", "accepted"),
    [
        (0, 0, True),
        (60, 60, True),
        (61, 60, False),
        (10**9, None, True),
        (10**9, 10**9 - 1, False),
        (-60, 60, True),  # the clock of another machine
        (-61, 60, False),
        (-61, None, False),
        (0, -1, False),
    ],
)
def test_the_age(age: int, max_age: int | None, accepted: bool) -> None:
    signed = sign("p", "v", KEY, NOW)
    expected = "v" if accepted else None
    assert unsign("p", signed, KEY, NOW + age, max_age=max_age) == expected


@pytest.mark.parametrize(
    "time", ["", "-1", "+1", "1_0", " 1", "1 ", "1.5", "\u0663", "1" * 13, "1" * 5000]
)
def test_a_time_is_at_most_twelve_digits(time: str) -> None:
    signature = hmac_sha256(KEY, f"cgikit.signing 1\0001\0p\0{time}\0v".encode())
    assert unsign("p", f"1.{time}.{signature}.v", KEY, NOW, max_age=None) is None


def test_the_version_is_checked() -> None:
    signed = sign("p", "v", KEY, NOW)
    for version in ("", "0", "2", "11", "01", "1 "):
        assert unsign("p", version + signed[1:], KEY, NOW, max_age=0) is None


def test_the_first_key_signs_and_all_are_accepted() -> None:
    signed = sign("p", "v", [OTHER, KEY], NOW)
    assert signed == sign("p", "v", OTHER.encode(), NOW)
    assert unsign("p", signed, [KEY, OTHER], NOW, max_age=0) == "v"
    assert unsign("p", signed, KEY, NOW, max_age=0) is None


@pytest.mark.parametrize(
    ("keys", "error", "why"),
    [
        ([], ValueError, "the list of keys is empty"),
        ("", ValueError, "has 0 bytes, but needs 32"),
        (b"k" * 31, ValueError, "has 31 bytes, but needs 32"),
        ([KEY, "ü" * 15], ValueError, "has 30 bytes"),
        ([5], TypeError, "a key must be a str or bytes, not int"),
        (None, TypeError, "the key is None"),
    ],
)
def test_keys_that_are_no_keys(keys, error: type[Exception], why: str) -> None:
    with pytest.raises(error, match=why):
        sign("p", "v", keys, NOW)
    with pytest.raises(error, match=why):
        unsign("p", "", keys, NOW, max_age=0)


def test_the_message_about_a_key_does_not_show_it_and_says_how_to_make_one() -> None:
    with pytest.raises(ValueError, match="bytes") as caught:
        sign("p", "v", "canary", NOW)
    assert "canary" not in str(caught.value)
    assert "python3 -c 'import secrets; print(secrets.token_hex(32))'" in str(caught.value)
