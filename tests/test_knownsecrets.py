"""knownsecrets: no value of a secret, whatever shows it."""

import sys
import urllib.parse
from types import SimpleNamespace

import pytest

from cgikit.compat.cgi import FieldStorage
from cgikit.knownsecrets import Known, of_error

SECRET = "hunter2 pw"


class Loud:
    """An object whose repr shows what it has."""

    def __init__(self, inner: object) -> None:
        self.inner = inner

    def __repr__(self) -> str:
        return f"Loud: {self.inner}"


@pytest.mark.parametrize(
    "environ",
    [
        {"QUERY_STRING": f"n=abc&password={urllib.parse.quote_plus(SECRET)}"},
        {"HTTP_COOKIE": f"a=b; sid={SECRET}"},
        {"HTTP_AUTHORIZATION": f"Bearer {SECRET}"},
        {"DB_PASSWORD": SECRET},
    ],
)
def test_the_secrets_of_a_request(environ: dict[str, str]) -> None:
    known = Known()
    known.take_request({"PWD": "/srv/www", "HOME": "/usr/share/x", **environ})
    assert known.hide(f"it was {SECRET}, in /srv/www, /usr/share/x") == (
        "it was (hidden), in /srv/www, /usr/share/x"
    )
    assert SECRET not in known.hide(repr([SECRET, SECRET.encode()]))


def test_the_secrets_of_frames() -> None:
    def fail(value: object) -> None:
        del value
        raise ValueError

    query = urllib.parse.urlencode({"a": "visible", "password": SECRET})
    form = FieldStorage(environ={"QUERY_STRING": query})
    values = [
        form,
        form.getvalue,
        form.list,
        {"token": SECRET},
        [("token", SECRET)],
        {"a": [{"token": [SECRET]}]},
        Loud({"token": SECRET}),
        SimpleNamespace(form=form),
    ]
    for value in values:
        try:
            fail_with = value
            raise ValueError
        except ValueError:
            known = of_error(*sys.exc_info()[1:])
        assert known.hide(f"{SECRET} visible") == "(hidden) visible", fail_with


def test_what_stands_in_any_text_is_not_taken_out() -> None:
    known = Known()
    known.take_request({"DB_PASSWORD": "abc", "HTTP_COOKIE": "theme=dark", "A_TOKEN": "token"})
    assert known.hide("abc dark token") == "abc dark token"
