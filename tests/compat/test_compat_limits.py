"""compat.limits: all finite, and set to nothing but a number."""

import pytest

from cgikit.compat import limits


def test_all_are_finite() -> None:
    public = {name for name, value in vars(limits).items() if isinstance(value, int)}
    assert public - {"TYPE_CHECKING"} == set(limits.NAMES)
    assert all(0 < limits.allowed(name) < 1 << 40 for name in limits.NAMES)


@pytest.mark.parametrize("value", [None, -1, "5", 1.5, True, float("inf")])
def test_there_is_no_way_to_have_none(value: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "body", value)
    with pytest.raises(TypeError, match=r"cgikit\.compat\.limits\.body is .*Set it to a number"):
        limits.check("body", 1)


def test_what_is_over_one_is_a_value_error_and_what_is_not_is_nothing() -> None:
    limits.check("files", limits.files)
    with pytest.raises(ValueError, match="files is 501 or more; the limit is 500"):
        limits.check("files", limits.files + 1)
