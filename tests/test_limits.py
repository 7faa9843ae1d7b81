"""Limits: all finite, all ints, no unlimited."""

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgikit import CGIError, Limits, Request
from cgikit.limits import DEFAULT_LIMITS

NAMES = [name for name, value in vars(Limits).items() if isinstance(value, int) and name[0] != "_"]


def test_the_vocabulary() -> None:
    assert sorted(NAMES) == sorted(
        ["query", "fields", "cookies", "body", "memory", "field", "file", "files",
         "part_headers", "part_header", "boundary", "json_values", "json_depth"]
    )  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_every_default_is_finite(name: str) -> None:
    """S14."""
    assert 0 < getattr(DEFAULT_LIMITS, name) <= 1 << 30


@given(st.dictionaries(st.sampled_from(NAMES), st.integers(0, 1 << 62)))
def test_each_is_a_keyword_and_the_others_stay(chosen: dict[str, int]) -> None:
    limits = Limits(**chosen)
    for name in NAMES:
        assert getattr(limits, name) == chosen.get(name, getattr(DEFAULT_LIMITS, name))
    assert repr(limits) == f"Limits({', '.join(f'{n}={v}' for n, v in chosen.items())})"


@pytest.mark.parametrize("value", [-1, None, "1", 1.5, float("inf"), True, [], b"1"])
def test_there_is_no_unlimited(value: object) -> None:
    """S14: an int, not negative; what else is passed is the script's mistake."""
    with pytest.raises(ValueError, match="must be an int of 0 or more") as caught:
        Limits(body=value)
    assert not isinstance(caught.value, CGIError)


@pytest.mark.parametrize("name", ["boddy", "__init__", "_private", "__doc__", "Body"])
def test_a_misspelt_limit_is_an_error(name: str) -> None:
    """A limit that is silently not set is no limit."""
    with pytest.raises(TypeError, match=f"no limit named '{name}'"):
        Limits(**{name: 1})


def test_the_default_is_not_changed_by_others() -> None:
    Limits(body=1)
    assert DEFAULT_LIMITS.body == Limits.body == 64 << 20


@pytest.mark.parametrize("name", [*NAMES, "boddy"])
def test_1_16_limits_cannot_be_changed(name: str) -> None:
    """One request's change would be that of all later ones of the process."""
    for limits in (Request({}).limits, DEFAULT_LIMITS, Limits(body=1)):
        with pytest.raises(AttributeError, match=rf"limits=Limits\({name}=…\)"):
            setattr(limits, name, 1 << 30)
        with pytest.raises(AttributeError, match="cannot be deleted"):
            delattr(limits, name)
    assert DEFAULT_LIMITS.body == 64 << 20
    assert not hasattr(DEFAULT_LIMITS, "boddy")


@pytest.mark.parametrize("given", [{}, {"body": 1}, {"fields": 2, "file": 3}])
def test_limits_go_through_copy_and_pickle(given: dict[str, int]) -> None:
    limits = Limits(**given)
    for again in (copy.copy(limits), copy.deepcopy(limits), pickle.loads(pickle.dumps(limits))):
        assert again == limits
        assert (hash(again), repr(again)) == (hash(limits), repr(limits))


def test_limits_are_equal_if_all_are() -> None:
    assert Limits() == DEFAULT_LIMITS == Limits(body=64 << 20)
    assert hash(Limits()) == hash(Limits(body=64 << 20))
    assert Limits(body=1) != Limits()
    assert Limits() != 1


def test_limits_of_a_class_of_ones_own() -> None:
    class Large(Limits):
        body = 1 << 40

    assert Large().body == 1 << 40
    assert Large(files=1) == Limits(body=1 << 40, files=1)
