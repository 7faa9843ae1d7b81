"""The list of the last requests."""

from inspecting import inspected

from cgikit.inspector.exchange import Exchange
from cgikit.inspector.hiding import Hiding
from cgikit.inspector.listpage import failed, list_page, notes, rows, status


def test_an_empty_list_says_what_to_do() -> None:
    assert "Open a script" in rows([])
    assert "Forget them all" not in list_page([], "token", 100).decode()


def test_a_row_leads_to_the_page_of_the_request() -> None:
    page = list_page([inspected("/x.py?a=<b>&token=abc")], "T", 100).decode()
    assert 'href="/_cgikit/1"' in page
    assert "/x.py?a=&lt;b&gt;&amp;token=(hidden)" in page
    assert "200 OK" in page
    assert "10.0 ms" in page
    assert 'data-token="T"' in page


def test_what_is_special_about_a_request_is_said() -> None:
    exchange = inspected(exit_status=-9, stderr=b"x", headers=(("Sec-Fetch-Dest", "empty"),))
    exchange.replay_of = 3
    exchange.runs *= 2
    said = notes(exchange, Hiding(exchange))
    for words in (
        "replay of 3",
        "background call",
        "1 local redirect",
        "killed by signal 9",
        "standard error",
    ):
        assert words in said
    exchange = inspected(status=302, exit_status=2)
    exchange.headers = (("Location", "/a?token=b"),)
    assert notes(exchange, Hiding(exchange)) == "redirects to /a?token=(hidden) · exit status 2"
    assert notes(inspected(), Hiding(inspected())) == ""


def test_a_request_that_runs_has_no_status_yet() -> None:
    exchange = inspected(status=0)
    exchange.ended = None
    assert status(exchange) == "runs"
    assert "…" in rows([exchange])
    exchange.ended = 1.0
    assert status(exchange) == "ended"


def test_a_script_that_failed_after_its_header_is_a_failure() -> None:
    assert failed(inspected(exit_status=1))
    assert failed(inspected(status=404))
    assert not failed(inspected())


def test_the_method_is_escaped() -> None:
    exchange: Exchange = inspected(method="<X>")
    assert "<X>" not in rows([exchange])
