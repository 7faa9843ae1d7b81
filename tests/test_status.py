"""The reason phrases, against the standard library's."""

from http import HTTPStatus

import pytest

from cgikit import Response
from cgikit.environ import MetaVariables
from cgikit.headers import check_field
from cgikit.status import REASONS

#: RFC 9110 renamed these; the standard library did so in 3.13. 418 is a joke, 510 obsolete.
RENAMED = {413, 414, 416, 422}
LEFT_OUT = {418, 510}


@pytest.mark.parametrize("status", [s for s in HTTPStatus if s >= 200 and s not in LEFT_OUT])
def test_every_status_has_its_phrase(status: HTTPStatus) -> None:
    if status in RENAMED:
        assert status in REASONS
    else:
        assert REASONS[status] == status.phrase


@pytest.mark.parametrize("status", sorted(REASONS))
def test_every_phrase_can_be_sent(status: int) -> None:
    """R22: three digits, a space, a reason."""
    assert 200 <= status <= 599
    check_field("Status", f"{status} {REASONS[status]}")


def test_a_status_without_a_phrase_is_sent_all_the_same(tmp_path: object) -> None:
    import io

    out = io.BytesIO()
    Response("", 599).send(out, MetaVariables({}))
    assert out.getvalue().startswith(b"Status: 599 Unknown\n")
