"""Credentials: what a client sends, taken apart and never shown, and the challenge that asks for it."""

import base64
import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties import CONTROLS, any_texts, environ_texts, noisy, outcome, placements, texts

from cgikit import BadRequest, CGIError, Request, parse_header
from cgikit.authorization import Authorization, Unauthorized, parse
from cgikit.parameters import split_list


def basic(raw: bytes) -> str:
    return "Basic " + base64.b64encode(raw).decode()


@pytest.mark.parametrize(
    ("raw", "username", "password"),
    [
        (b"Aladdin:open sesame", "Aladdin", "open sesame"),  # RFC 7617 section 2
        ("test:123£".encode(), "test", "123£"),  # and section 2.1
        (b"a:b:c:", "a", "b:c:"),
        (b":", "", ""),
        (b"a:", "a", ""),
        (b":b", "", "b"),
    ],
)
def test_basic(raw: bytes, username: str, password: str) -> None:
    for field in (basic(raw), basic(raw).replace("Basic ", "bASIC   ")):
        found = parse(field)
        assert (found.scheme, found.username, found.password) == ("basic", username, password)
        assert (found.token, found.params) == (None, {})


@pytest.mark.parametrize(
    "field",
    [
        "Basic", "Basic ", "Basic =", "Basic !!!!", "Basic YTpi YTpi", "Basic YTpi,", "Basic YTp",
        "Basic YTpi\n", "Basic Y\nTpi", "Basic \udcff", basic(b"no colon"), basic(b""),
        basic(b"j\xfcrgen:x"), basic(b"a:b\0"), basic(b"a\n:b"), basic(b"a:\x7f"),
    ],
)  # fmt: skip
def test_basic_that_is_malformed_is_a_400_that_does_not_show_it(field: str) -> None:
    with pytest.raises(BadRequest, match="but not the base64 of user:password in UTF-8") as caught:
        parse(field)
    assert caught.value.status == 400
    assert "YTp" not in str(caught.value)


@pytest.mark.parametrize("token", ["mF_9.B5f-4.1JqM", "abc==", "a", "-._~+/1"])
def test_bearer(token: str) -> None:
    found = parse(f"Bearer {token}")
    assert (found.scheme, found.token) == ("bearer", token)
    assert (found.username, found.password, found.params) == (None, None, {})


@pytest.mark.parametrize(
    "field", ["Bearer", "bearer ", "Bearer a b", "Bearer =", "Bearer a=b", "Bearer ä"]
)
def test_bearer_without_a_token_is_a_400(field: str) -> None:
    with pytest.raises(BadRequest, match="the scheme Bearer, but no valid token"):
        parse(field)


@pytest.mark.parametrize("field", ["", " ", "=", "a,b c", "ä x", '"Basic" YTpi', "Basic\tYTpi"])
def test_without_a_scheme_it_is_a_400(field: str) -> None:
    with pytest.raises(BadRequest, match="does not begin with the name of a scheme"):
        parse(field)


def test_other_schemes_have_a_token_or_parameters() -> None:
    digest = parse(
        'Digest username="Mufasa", realm="a, \\"b\\"", URI=/x , nc=1,, broken, nc=2, response="'
    )
    assert digest.scheme == "digest"
    assert digest.params == {"username": "Mufasa", "realm": 'a, "b"', "uri": "/x", "nc": "1"}
    assert (digest.token, digest.username, digest.password) == (None, None, None)
    assert parse("Negotiate YII=").token == "YII="
    assert parse("Custom").params == {}
    assert parse("Custom").token is None


@given(environ_texts | noisy | any_texts)
def test_any_field_gives_credentials_or_our_error(text: str) -> None:
    for field in (text, f"Basic {text}", f"Bearer {text}", f"Digest {text}"):
        assert isinstance(outcome(parse, field), Authorization | CGIError)


no_controls = texts.filter(lambda text: not set(CONTROLS[:33]) & set(text))


@given(no_controls.filter(lambda text: ":" not in text), no_controls)
def test_any_user_and_password_arrive(username: str, password: str) -> None:
    found = parse(basic(f"{username}:{password}".encode()))
    assert (found.username, found.password) == (username, password)


def test_neither_repr_nor_error_shows_a_secret() -> None:
    assert repr(parse(basic(b"ann:canary"))) == "<Authorization basic 'ann'>"
    assert repr(parse("Bearer canary")) == "<Authorization bearer>"
    assert repr(parse("Digest response=canary")) == "<Authorization digest>"


# --- the request ------------------------------------------------------------------------------


def test_a_request_has_it() -> None:
    assert Request({}).authorization is None
    assert Request({"HTTP_AUTHORIZATION": ""}).authorization is None
    found = Request({"HTTP_AUTHORIZATION": basic(b"ann:x")}).authorization
    assert found is not None
    assert found.username == "ann"


def test_apache_s_name_after_a_redirect_is_read_too() -> None:
    redirected = {"REDIRECT_HTTP_AUTHORIZATION": "Bearer after"}
    found = Request(redirected).authorization
    assert found is not None
    assert found.token == "after"
    found = Request({**redirected, "HTTP_AUTHORIZATION": "Bearer own"}).authorization
    assert found is not None
    assert found.token == "own"
    # What a client calls so is another variable
    assert Request({"HTTP_REDIRECT_HTTP_AUTHORIZATION": "Bearer x"}).authorization is None


def test_a_malformed_one_is_an_error_when_it_is_asked_for() -> None:
    request = Request({"HTTP_AUTHORIZATION": "Basic x"})
    with pytest.raises(BadRequest):
        _ = request.authorization


# --- the challenge ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "options", "challenge"),
    [
        (["Members"], {}, 'Basic realm="Members", charset="UTF-8"'),
        (['a "b" \\ c, d'], {}, 'Basic realm="a \\"b\\" \\\\ c, d", charset="UTF-8"'),
        ([""], {}, 'Basic realm="", charset="UTF-8"'),
        (["x"], {"scheme": "Bearer"}, 'Bearer realm="x"'),
        (["x"], {"scheme": "Bearer", "params": {"error": "invalid_token", "scope": "a b"}},
         'Bearer realm="x", error="invalid_token", scope="a b"'),
        (["x"], {"scheme": "basic"}, 'basic realm="x", charset="UTF-8"'),
    ],
)  # fmt: skip
def test_the_challenge(arguments, options, challenge: str) -> None:
    error = Unauthorized(*arguments, **options)
    assert error.status == 401
    assert error.challenge == challenge
    assert error.headers == (("WWW-Authenticate", challenge),)
    assert error.message == "Please log in."


@pytest.mark.parametrize("bad", [*CONTROLS, "ä", "€"])
def test_no_control_gets_into_a_challenge(bad: str) -> None:
    """S1: first, in the middle and last, in each part."""
    for text in placements(bad):
        for make in (
            lambda t: Unauthorized(t),
            lambda t: Unauthorized("x", scheme=t),
            lambda t: Unauthorized("x", params={"error": t}),
            lambda t: Unauthorized("x", params={t: "error"}),
        ):
            with pytest.raises(
                ValueError, match=r"other characters than printable ASCII|is not a token; "
            ):
                make(text)


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)))
def test_a_realm_can_be_read_back(realm: str) -> None:
    (first, _) = split_list(Unauthorized(realm).challenge.removeprefix("Basic "))
    assert parse_header(";" + first)[1] == {"realm": realm}


def test_it_can_be_copied_and_pickled() -> None:
    error = Unauthorized("Members", "Ask Ann.", scheme="Bearer")
    for other in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert (other.message, other.headers, other.challenge) == (
            error.message, error.headers, error.challenge,
        )  # fmt: skip
