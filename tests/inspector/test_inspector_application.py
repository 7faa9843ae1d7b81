"""The inspector of a real `cgikit serve`, asked by friends and by others."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from inspecting import Looker
from serving import serve

SCRIPT = """\
#!/bin/sh
echo "Content-Type: text/plain"
echo
echo "$REQUEST_METHOD $QUERY_STRING"
cat
echo "to the log" >&2
"""
FORM = "application/x-www-form-urlencoded"


def script(directory: Path, name: str, text: str = SCRIPT) -> None:
    path = directory / name
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture
def looker(tmp_path: Path) -> Iterator[Looker]:
    script(tmp_path, "x.sh")
    script(tmp_path, "away.sh", "#!/bin/sh\nprintf 'Location: /x.sh?from=away\\n\\n'\n")
    with serve(tmp_path) as server:
        yield Looker(server)


def page_of(looker: Looker, number: int) -> str:
    reply = looker.ask(f"/_cgikit/{number}")
    assert reply.status == 200
    return reply.text


def test_a_request_is_shown_with_all_that_it_was(looker: Looker) -> None:
    asked = looker.ask(
        "/x.sh?name=Ada", "POST", b"colour=red&pin_code=1", content_type=FORM, x_secret="unknown1"
    )
    assert "colour=red" in asked.text
    text = page_of(looker, looker.latest())
    for words in (
        "POST /x.sh?name=Ada",
        '<th scope="row" class="mono">colour</th><td class="mono">red</td>',
        "colour=red&amp;pin_code=1",
        "to the log",
        "exit status 0",
        "fork and exec",
        "REQUEST_METHOD",
        "(hidden)",
    ):
        assert words in text
    assert "unknown1" not in text


def test_local_redirects_and_refusals_are_requests_too(looker: Looker) -> None:
    looker.ask("/away.sh")
    text = page_of(looker, looker.latest())
    assert "/away.sh" in text
    assert "from=away" in text
    assert "Script 2" in text
    looker.ask("/nothing-here.sh")
    assert "404 Not Found" in page_of(looker, looker.latest())


def test_the_inspector_does_not_inspect_itself(looker: Looker) -> None:
    looker.ask("/x.sh")
    before = looker.latest()
    for _ in range(3):
        looker.ask("/_cgikit/")
    assert looker.latest() == before


def test_warm_scripts_are_seen_as_well(tmp_path: Path) -> None:
    script(
        tmp_path, "w.py", "#!/usr/bin/env python3\nprint('Content-Type: text/plain\\n\\nwarm')\n"
    )
    with serve(tmp_path, "--warm") as server:
        looker = Looker(server)
        assert looker.ask("/w.py?a=b").text == "warm\n"
        text = page_of(looker, looker.latest())
        assert "Content-Type: text/plain\n\nwarm" in text


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": None},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_mode": "cors", "sec_fetch_dest": "empty", "sec_fetch_site": "same-origin"},
        {"sec_fetch_dest": "iframe", "sec_fetch_mode": "navigate"},
    ],
)
@pytest.mark.parametrize("path", ["/_cgikit/", "/_cgikit/1", "/_cgikit/rows", "/_cgikit"])
def test_others_see_nothing(looker: Looker, path: str, headers: dict[str, str | None]) -> None:
    looker.ask("/x.sh?name=Ada")
    reply = looker.ask(path, **headers)
    assert reply.status == 403
    assert "Ada" not in reply.text
    assert "data-token" not in reply.text


def test_a_name_that_was_allowed_for_the_scripts_is_not_enough(tmp_path: Path) -> None:
    script(tmp_path, "x.sh")
    with serve(tmp_path, "--allow-host", "my.example") as server:
        looker = Looker(server)
        assert looker.ask("/x.sh", host="my.example").status == 200
        assert looker.ask("/_cgikit/", host="my.example").status == 403


def test_beyond_loopback_it_is_off_and_says_why(tmp_path: Path) -> None:
    script(tmp_path, "x.sh")
    with serve(tmp_path, "--host", "0.0.0.0") as server:
        looker = Looker(server)
        assert looker.ask("/x.sh").status == 200
        for path in ("/_cgikit/", "/_cgikit/1", "/_cgikit/rows"):
            reply = looker.ask(path)
            assert reply.status == 403
            assert "The inspector is off" in reply.text
            assert "--host" in reply.text


def test_the_rows_are_for_the_page_that_has_the_token(looker: Looker) -> None:
    looker.ask("/x.sh?name=Ada")
    headers = {"sec_fetch_mode": "cors", "sec_fetch_dest": "empty", "sec_fetch_site": "same-origin"}
    assert looker.ask("/_cgikit/rows", x_cgikit_token="wrong", **headers).status == 403
    reply = looker.ask("/_cgikit/rows", x_cgikit_token=looker.token(), **headers)
    assert reply.status == 200
    assert "name=Ada" in reply.text
    assert "data-token" not in reply.text


@pytest.mark.parametrize(
    "change",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": None, "sec_fetch_site": None},
        {"sec_fetch_site": "cross-site"},
    ],
)
def test_a_forged_button_does_nothing(looker: Looker, change: dict[str, str | None]) -> None:
    looker.ask("/x.sh")
    before = looker.latest()
    fields = {
        "origin": f"http://{looker.host}",
        "sec_fetch_site": "same-origin",
        "content_type": FORM,
    }
    for token in (looker.token(), "wrong", ""):
        given = f"token={token}".encode()
        assert looker.ask("/_cgikit/clear", "POST", given, **{**fields, **change}).status == 403
    assert looker.ask("/_cgikit/clear", "POST", b"token=wrong", **fields).status == 403
    assert looker.ask("/_cgikit/clear", "POST", b"", **fields).status == 403
    assert looker.latest() == before


def test_clearing_forgets_all(looker: Looker) -> None:
    looker.ask("/x.sh")
    reply = looker.press("/_cgikit/clear")
    assert (reply.status, reply.headers["location"]) == (303, "/_cgikit/")
    assert "No request yet" in looker.ask("/_cgikit/").text


def test_what_is_not_there_is_said(looker: Looker) -> None:
    for path in ("/_cgikit/1", "/_cgikit/x", "/_cgikit/1/2", "/_cgikit/999999999", "/_cgikit/../"):
        assert looker.ask(path).status in (400, 404)
    assert looker.ask("/_cgikit/", "DELETE").status == 405
    assert looker.press("/_cgikit/nothing").status == 404
    assert looker.press("/_cgikit/1/replay").status == 404


def test_a_head_request_has_no_body(looker: Looker) -> None:
    reply = looker.ask("/_cgikit/", "HEAD")
    assert (reply.status, reply.text) == (200, "")
    assert int(reply.headers["content-length"]) > 1_000


def test_a_form_of_ours_has_a_limit(looker: Looker) -> None:
    assert looker.press("/_cgikit/clear", much="x" * (1 << 20)).status == 413


def test_large_and_binary_streams_are_cut(tmp_path: Path) -> None:
    script(
        tmp_path,
        "big.sh",
        "#!/bin/sh\nprintf 'Content-Type: image/x\\n\\n'; head -c 3000000 /dev/zero\n",
    )
    with serve(tmp_path) as server:
        looker = Looker(server)
        body = bytes(range(256)) * 1_000
        looker.ask("/big.sh", "POST", body, content_type="application/octet-stream")
        text = page_of(looker, looker.latest())
        assert "Cut: the stream has 3,000,023 bytes" in text
        assert len(text) < 2_000_000


@pytest.mark.parametrize("path", ["/_cgikit/", "/_cgikit/7", "/_cgikit/rows"])
def test_every_answer_has_the_fields_that_keep_others_out(looker: Looker, path: str) -> None:
    reply = looker.ask(path)
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in reply.headers["content-security-policy"]


def replayed(looker: Looker, reply) -> str:  # type: ignore[no-untyped-def]
    """The page of the request that a button has sent."""
    assert reply.status == 303
    number = int(reply.headers["location"].rpartition("/")[2])
    assert number == looker.latest()
    return page_of(looker, number)


def test_a_request_is_sent_again_with_its_secrets(looker: Looker) -> None:
    looker.ask("/x.sh?token=sekret99", "POST", b"password=sekret88&a=1", content_type=FORM)
    number = looker.latest()
    seen = len(looker.server.lines)
    text = replayed(looker, looker.press(f"/_cgikit/{number}/replay"))
    assert f"replay of {number}" in text
    assert "password=(hidden)&amp;a=1" in text
    assert "sekret" not in text
    looker.server.wait_for(r"POST /x\.sh\?token=sekret99 200", seen)


def test_a_request_is_changed_and_sent(looker: Looker) -> None:
    looker.ask("/x.sh?name=Ada", user_agent="a browser")
    number = looker.latest()
    assert 'value="Ada"' in looker.ask(f"/_cgikit/{number}/edit").text
    reply = looker.press(
        f"/_cgikit/{number}/send",
        **{"method": "PUT", "path": "/x.sh", "query-name": "name", "query-value": "Kim"},
        headers=f"Host: {looker.host}\r\nX-New: 1",
        body="new body",
    )
    text = replayed(looker, reply)
    for words in ("PUT name=Kim", "new body", "HTTP_X_NEW"):
        assert words in text
    assert "a browser" not in text


def test_a_change_that_is_no_request_is_explained(looker: Looker) -> None:
    looker.ask("/x.sh")
    before = looker.latest()
    reply = looker.press(f"/_cgikit/{before}/send", method="G T", path="/x.sh")
    assert reply.status == 400
    assert "is not a method" in reply.text
    assert looker.latest() == before


def test_a_replay_cannot_reach_the_inspector(looker: Looker) -> None:
    looker.ask("/x.sh")
    reply = looker.press(
        f"/_cgikit/{looker.latest()}/send",
        method="GET",
        path="/_cgikit/",
        headers=f"Host: {looker.host}",
    )
    assert "404 Not Found" in replayed(looker, reply)


@pytest.mark.parametrize("what", ["replay", "send", "save"])
def test_a_forged_request_runs_nothing(looker: Looker, tmp_path: Path, what: str) -> None:
    looker.ask("/x.sh")
    before = looker.latest()
    path = f"/_cgikit/{before}/{what}"
    token = f"token={looker.token()}&method=GET&path=/x.sh".encode()
    good = {"origin": f"http://{looker.host}", "content_type": FORM}
    for body, change in (
        (b"method=GET&path=/x.sh", {}),
        (b"token=x&method=GET&path=/x.sh", {}),
        (token, {"origin": "http://evil.example"}),
        (token, {"origin": None}),
        (token, {"host": "evil.example"}),
        (token, {"sec_fetch_site": "cross-site"}),
    ):
        assert looker.ask(path, "POST", body, **{**good, **change}).status == 403
    assert looker.ask(path).status == 404
    assert looker.latest() == before
    assert not (tmp_path / "tests").exists()


def test_a_request_whose_body_was_not_kept_says_so(looker: Looker) -> None:
    looker.ask("/x.sh", "POST", b"x" * 100_000, content_type="text/plain")
    number = looker.latest()
    text = page_of(looker, number)
    assert "cannot be sent again" in text
    assert "/replay" not in text
    assert looker.press(f"/_cgikit/{number}/replay").status == 409
