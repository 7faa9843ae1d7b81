"""The page of one request."""

from inspecting import inspected

from cgikit.inspector.requestpage import request_page

EVIL = "<script>alert(1)</script>"


def page(exchange, done: str = "") -> str:  # type: ignore[no-untyped-def]
    return request_page(exchange, "token", done).decode()


def test_nothing_of_a_request_is_markup() -> None:
    evil = EVIL.encode()
    exchange = inspected(
        f"/x.py/{EVIL}?{EVIL}={EVIL}",
        method=EVIL,
        headers=((EVIL, EVIL), ("User-Agent", EVIL), ("Cookie", f"{EVIL}=x")),
        body=evil,
        content_type=f"text/{EVIL}",
        stdout=b"Content-Type: " + evil + b"\nX: " + evil + b"\n\n" + evil,
        stderr=evil,
        file=f"/srv/{EVIL}",
        environment={EVIL: EVIL},
    )
    exchange.headers = ((EVIL, EVIL),)
    assert "<script" not in page(exchange, EVIL)
    problem = inspected(stdout=evil)
    assert "<script" not in page(problem)


def test_the_raw_output_is_beside_its_header() -> None:
    text = page(inspected(stdout=b"Content-Type: text/plain\nX-A: b\n\nbody"))
    assert "Content-Type: text/plain\nX-A: b\n\nbody" in text
    assert '<th scope="row" class="mono">X-A</th><td class="mono">b</td>' in text
    assert "Status 200 OK" in text


def test_a_wrong_header_is_explained() -> None:
    text = page(inspected(stdout=b"Hello\n", status=500))
    assert "does not begin with headers" in text
    assert "Before anything else" in text


def test_a_local_redirect_shows_both_scripts() -> None:
    exchange = inspected(stdout=b"Location: /other.py\n\n")
    exchange.runs += inspected("/other.py", stdout=b"Content-Type: text/plain\n\nx").runs
    text = page(exchange)
    assert "A local redirect to <code>/other.py</code>" in text
    assert "Script 1" in text
    assert "Script 2" in text


def test_what_was_cut_is_said() -> None:
    text = page(inspected(stdout=b"Content-Type: text/plain\n\n" + b"x" * 100, room=50))
    assert "Cut: the stream has 126 bytes" in text


def test_binary_streams_are_shown_as_escapes() -> None:
    text = page(inspected(stdout=b"Content-Type: image/png\n\n\x89PNG\x00\x1b[2J"))
    assert "\\x89PNG\\x00\\x1b[2J" in text


def test_the_end_of_a_script_is_named() -> None:
    assert "killed by signal 11" in page(inspected(exit_status=-11))
    assert "exit status 3" in page(inspected(exit_status=3))
    unstarted = inspected()
    unstarted.runs[0].started = None
    assert "could not be started" in page(unstarted)
    unstarted.runs.clear()
    assert "No script ran" in page(unstarted)


def test_sessions_are_said_not_to_be_shown() -> None:
    assert "Sessions are not shown" in page(inspected())
