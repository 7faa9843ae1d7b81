"""What a supervisor tells its workers."""

import marshal

import pytest

from cgikit.warm.settings import Settings


def test_settings_survive_the_way_to_a_worker() -> None:
    settings = Settings(root="/srv", protocol="scgi", prefix="/app", children=3, preload=["json"])
    again = Settings(**marshal.loads(marshal.dumps(settings.values())))
    assert again.values() == settings.values()
    assert (again.root, again.protocol, again.prefix, again.children) == ("/srv", "scgi", "/app", 3)
    assert again.preload == ["json"]


def test_every_limit_is_finite() -> None:
    settings = Settings(root="/srv", protocol="fastcgi")
    for name in ("timeout", "total", "grace", "children", "queue"):
        assert 0 < getattr(settings, name) < 1_000_000, name


def test_a_root_is_needed() -> None:
    with pytest.raises(KeyError):
        Settings(protocol="fastcgi")


def test_settings_share_no_list() -> None:
    one, other = (Settings(root="/", protocol="fastcgi") for _ in range(2))
    one.learnt.append("x")
    assert other.learnt == []


def test_3_9_a_setting_that_is_misspelt_is_refused() -> None:
    with pytest.raises(TypeError, match="no setting named 'childern'"):
        Settings(root="/", protocol="fastcgi", childern=3)
