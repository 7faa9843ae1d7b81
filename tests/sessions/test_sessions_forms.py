"""The token of forms, by itself; how a visitor meets it stands in test_sessions_session.py."""

import pytest

from cgikit.errors import FormExpired
from cgikit.sessions.forms import check, forget
from cgikit.sessions.payload import Payload

GRACE = 10.0


def payload(csrf: str = "token") -> Payload:
    made = Payload(1_000.0)
    made.csrf = csrf
    return made


def test_the_token_passes() -> None:
    check(payload(), "token", 1_000, GRACE)


@pytest.mark.parametrize("token", [None, "", "Token", "token ", "ü", "\ud800"])
@pytest.mark.parametrize("csrf", ["", "token", "ü"])
def test_nothing_else_does(token: str | None, csrf: str) -> None:
    if token == csrf != "":
        return
    with pytest.raises(FormExpired) as caught:
        check(payload(csrf), token, 1_000, GRACE)
    assert (caught.value.status, caught.value.headers) == (403, ())


@pytest.mark.parametrize(
    ("after", "grace", "helps"),
    [(0, GRACE, True), (9.9, GRACE, True), (10, GRACE, False), (-1, GRACE, False), (0, 0, False)],
)
def test_the_former_token_is_helped_on_for_a_while_and_never_passes(
    after: float, grace: float, helps: bool
) -> None:
    inside = payload()
    forget(inside, 2_000)
    forget(inside, 2_001)  # there was no other one meanwhile
    for csrf in ("", "another"):
        inside.csrf = csrf
        with pytest.raises(FormExpired) as caught:
            check(inside, "token", 2_000 + after, grace)
        assert bool(caught.value.headers) is helps


def test_it_is_kept_with_the_session_and_older_ones_have_none() -> None:
    inside = payload()
    forget(inside, 2_000)
    again = Payload.decode(inside.encode())
    assert (again.csrf, again.former, again.rotated) == ("", "token", 2_000)
    old = Payload.decode(b'{"v":1,"created":5.5,"data":{},"csrf":"x"}')
    assert (old.csrf, old.former) == ("x", "")
    for wrong in (b'"former":1', b'"former":null', b'"former":"x","rotated":"now"'):
        with pytest.raises(ValueError, match=r"former|rotated"):
            Payload.decode(b'{"v":1,"created":5.5,"data":{},' + wrong + b"}")
