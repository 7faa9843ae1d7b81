"""Who may see the inspector, and who may use its buttons."""

import pytest

from cgikit.inspector.access import denied, forged, shows_page

LOCAL = {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost:8000", "wsgi.url_scheme": "http"}
OWN = {**LOCAL, "HTTP_ORIGIN": "http://localhost:8000", "HTTP_SEC_FETCH_SITE": "same-origin"}


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8000", "127.0.0.1:8000", "127.9.9.9", "[::1]:8000"]
)
def test_a_browser_on_this_machine_may_look(host: str) -> None:
    assert denied({**LOCAL, "HTTP_HOST": host}) == ""


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example:8000",
        "localhost.evil.example",
        "localhost, evil.example",
        "127.0.0.1.evil.example",
        "0.0.0.0",
        "192.0.2.1",
        "[2001:db8::1]",
        "localhost@evil.example",
        "user@localhost",
        "localhost:8000/",
        "localhost\n",
    ],
)
def test_a_name_of_another_machine_is_refused(host: str) -> None:
    """A site can point its own name at 127.0.0.1 (DNS rebinding)."""
    assert "only at localhost" in denied({**LOCAL, "HTTP_HOST": host})


@pytest.mark.parametrize("peer", ["192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1", "", "x"])
def test_another_machine_is_refused(peer: str) -> None:
    assert "this machine" in denied({**LOCAL, "REMOTE_ADDR": peer})


def test_a_mapped_address_is_the_one_inside() -> None:
    assert denied({**LOCAL, "REMOTE_ADDR": "::ffff:127.0.0.1"}) == ""


@pytest.mark.parametrize("site", ["cross-site", "same-site", "nonsense"])
def test_a_link_of_another_site_shows_nothing(site: str) -> None:
    assert "other sites" in denied({**LOCAL, "HTTP_SEC_FETCH_SITE": site})


def test_a_page_is_shown_and_not_fetched() -> None:
    def shown(mode: str, dest: str) -> bool:
        return shows_page({"HTTP_SEC_FETCH_MODE": mode, "HTTP_SEC_FETCH_DEST": dest})

    assert shown("navigate", "document")
    assert shows_page({})
    for mode, dest in [
        ("cors", "empty"),
        ("no-cors", "empty"),
        ("same-origin", "empty"),
        ("no-cors", "script"),
        ("navigate", "iframe"),
        ("navigate", "object"),
        ("cors", "document"),
    ]:
        assert not shown(mode, dest)


def test_a_button_of_ours_is_believed() -> None:
    assert forged(OWN, "token", "token") == ""
    assert forged({**LOCAL, "HTTP_ORIGIN": "http://localhost:8000"}, "token", "token") == ""


@pytest.mark.parametrize("given", ["", "toke", "tokenx", "TOKEN", "\ud800", "ü"])
def test_a_wrong_token_is_refused(given: str) -> None:
    assert "reload" in forged(OWN, given, "token")


@pytest.mark.parametrize(
    "origin",
    ["null", "http://evil.example", "https://localhost:8000", "http://localhost:8001", ""],
)
def test_the_right_token_from_another_origin_is_refused(origin: str) -> None:
    assert "another site" in forged({**OWN, "HTTP_ORIGIN": origin}, "token", "token")


def test_a_request_that_does_not_say_where_it_comes_from_is_refused() -> None:
    assert "neither" in forged(LOCAL, "token", "token")
