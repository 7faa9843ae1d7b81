"""Error pages and log entries: what the client sees, what only the log does (S4, S22)."""

import base64
import hashlib
import os
import re
from pathlib import Path

import pytest
from child import environment, run_script

from cgikit import HTTPError, StorageError
from cgikit.debug import answer_error, error_page, new_incident, traceback_of
from cgikit.environ import MetaVariables
from cgikit.errors import SessionMoved

CANARY = "canary-3f9c0b"

#: Names under which secrets are found in environments.
SECRETS = """
AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN DATABASE_URL DB_PASS DB_PASSWORD DJANGO_SECRET_KEY DSN
GITHUB_TOKEN GPG_PASSPHRASE HTTP_AUTHORIZATION HTTP_COOKIE HTTP_PROXY HTTP_PROXY_AUTHORIZATION
HTTP_X_API_KEY HTTP_X_AUTH_TOKEN HTTP_X_CSRF_TOKEN HTTP_X_SESSION_ID HTTP_X_AMZ_SIGNATURE
HTTP_X_JWT_ASSERTION HTTP_X_CLIENT_CERT HTTP_X_PRIVATE_THING HTTP_X_SSL_CREDENTIALS HTTPS_PROXY
MYSQL_PWD PGPASSWORD PGPASSFILE REDIS_URL SECRET SENTRY_DSN SMTP_PASS SSH_AUTH_SOCK
STRIPE_KEY anything_at_all http_proxy URL
HTTP_X_BEARER HTTP_X_OTP HTTP_X_PIN HTTP_DPOP HTTP_X_MS_CLIENT_PRINCIPAL HTTP_REFERER HTTP_X_ANYTHING
HTTP_FORWARDED HTTP_X_FORWARDED_USER HTTP_REMOTE_USER HTTP_FROM HTTP_VIA HTTP_LAST_EVENT_ID
REDIRECT_HTTP_AUTHORIZATION REDIRECT_REDIRECT_HTTP_COOKIE REDIRECT_X
""".split()


@pytest.mark.parametrize("debug", ["", "1"])
def test_s4_a_secret_of_the_environment_is_never_shown(tmp_path: Path, debug: str) -> None:
    env = environment(CGIKIT_DEBUG=debug, **dict.fromkeys(SECRETS, CANARY))
    answer = run_script(tmp_path, "run(lambda request: 1 / 0)", env=env)
    assert answer.status == 500
    assert CANARY not in answer.output.decode()
    if debug:  # that there is a variable of this name is no secret, and helps
        assert all(f"<td>{name}</td><td>(hidden)</td>" in answer.page for name in SECRETS)
        assert "<td>REQUEST_METHOD</td><td>GET</td>" in answer.page


def test_s4_the_page_may_load_and_do_nothing(tmp_path: Path) -> None:
    env = environment(CGIKIT_DEBUG="1")
    for source in (
        "run(lambda request: 1 / 0)",
        "def f(request):\n    raise HTTPError(404)\nrun(f)",
    ):
        answer = run_script(tmp_path, source, env=env)
        assert answer.field("X-Content-Type-Options") == "nosniff"
        assert answer.field("Cache-Control") == "no-store"
        policy = answer.field("Content-Security-Policy") or ""
        assert policy.startswith("default-src 'none'; ")
        (style,) = re.findall(r"<style>(.*?)</style>", answer.page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        assert policy.endswith(f"style-src 'sha256-{digest}'")  # who changes the one changes both


def test_an_error_may_bring_its_own_policy() -> None:
    page = error_page(404, headers=(("Content-Security-Policy", "default-src 'self'"),))
    assert page.headers["Content-Security-Policy"] == "default-src 'self'"
    assert page.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("debug", ["", "1"])
def test_s4_everything_from_outside_is_escaped(tmp_path: Path, debug: str) -> None:
    attack = "<script>alert(1)</script>\"'&"
    env = environment(
        CGIKIT_DEBUG=debug, HTTP_USER_AGENT=attack, PATH_INFO="/" + attack, HTTP_REFERER="\udcff"
    )
    env[attack] = "value"
    source = "def f(request):\n    raise {}(request.path_info)\nrun(f)"
    for error in ("KeyError", "BadRequest", "CGIError"):
        answer = run_script(tmp_path, source.format(error), env=env)
        assert "<script" not in answer.page
        assert "\"'&" not in answer.page
        if debug or error != "KeyError":
            assert "&lt;script&gt;" in answer.page


def test_the_page_is_whole_html() -> None:
    page = error_page(404, "no such page")
    assert page.body.startswith("<!DOCTYPE html>")
    assert page.body.count("<h1>404 Not Found</h1>\n<p>no such page</p>") == 1
    assert "{" not in re.sub(r"<style>.*</style>", "", page.body, flags=re.DOTALL)
    assert page.cache_control == "no-store"


def test_braces_in_a_message_are_text() -> None:
    assert "<p>{title} {0} %s</p>" in error_page(400, "{title} {0} %s").body


def test_an_unknown_status_has_a_title() -> None:
    assert "<h1>499 Error</h1>" in error_page(499).body


def test_a_client_error_is_not_logged(capsys: pytest.CaptureFixture[str]) -> None:
    request = MetaVariables({})
    assert answer_error(HTTPError(404), request, False).status == 404
    assert capsys.readouterr().err == ""


def test_a_server_error_is_logged_with_its_path(capsys: pytest.CaptureFixture[str]) -> None:
    page = answer_error(StorageError("/data/x", "disk gone"), MetaVariables({}), False)
    log = capsys.readouterr().err
    (number,) = set(re.findall(r"^\[incident (\w+)\] ", log, re.M))
    assert "/data/x: disk gone" in log
    assert number in page.body
    assert "/data" not in page.body


def test_a_double_click_is_one_line_in_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    """It was a traceback each time, as if the script had failed."""
    page = answer_error(SessionMoved(503, "Asked for twice."), MetaVariables({}), details=False)
    (line,) = capsys.readouterr().err.splitlines()
    found = re.fullmatch(r"\[incident (\w+)\] 503 SessionMoved: Asked for twice\.", line)
    assert found
    assert found[1] in page.body


def test_what_a_page_of_a_script_s_own_shows_of_a_bug_is_whole_sentences(tmp_path: Path) -> None:
    """It was "... in the server's log under this number:", and no number."""
    source = """
run(lambda request: 1 / 0, on_error=lambda failure: f"<p>{failure.message}</p>")
"""
    answer = run_script(tmp_path, source)
    assert answer.body == b"<p>The script failed. You did nothing wrong.</p>"
    page = run_script(tmp_path, "run(lambda request: 1 / 0)").page
    assert re.search("You did nothing wrong. .* under this number:</p>\n<pre>incident ", page)


def test_s22_every_line_of_an_entry_has_the_number(capsys: pytest.CaptureFixture[str]) -> None:
    evil = "".join(map(chr, [*range(0x20), 0x7F, 0x85, 0x9B, 0x2028, 0x2029, 0x202E, 0xDC80]))
    for error in (KeyError(evil), ValueError(evil), HTTPError(500, evil)):
        answer_error(error, MetaVariables({}), False)
        lines = capsys.readouterr().err.split("\n")
        assert lines.pop() == ""
        assert len({line[:20] for line in lines}) == 1
        assert all(re.match(r"\[incident [0-9a-f]{8}\] ", line) for line in lines)
        assert all(line.isprintable() for line in lines)


def test_an_error_that_cannot_be_shown_is_shown_anyhow(tmp_path: Path) -> None:
    source = """
class Mute(Exception):
    def __str__(self):
        raise RuntimeError
def f(request):
    raise Mute
run(f, debug=True)
"""
    answer = run_script(tmp_path, source)
    assert answer.status == 500
    assert "Mute" in answer.page
    assert "Mute" in answer.errors


def test_causes_and_groups_are_in_the_traceback() -> None:
    try:
        try:
            raise KeyError("first")
        except KeyError as error:
            raise ExceptionGroup("all", [OSError("second")]) from error
    except ExceptionGroup as error:
        text = traceback_of(error)
    assert "first" in text
    assert "second" in text


def test_endless_recursion_is_a_page(tmp_path: Path) -> None:
    answer = run_script(tmp_path, "def f(request):\n    return f(request)\nrun(f, debug=True)")
    assert answer.status == 500
    assert "RecursionError" in answer.page


def test_out_of_memory_is_a_page(tmp_path: Path) -> None:
    answer = run_script(tmp_path, "run(lambda request: 'x' * (1 << 62))")
    assert answer.status == 500
    assert "MemoryError" in answer.errors


def test_numbers_are_random() -> None:
    assert len({new_incident() for _ in range(100)}) > 98
    assert re.fullmatch("[0-9a-f]{8}", new_incident())


def test_a_log_that_is_full_loses_only_the_entry(tmp_path: Path) -> None:
    answer = run_script(tmp_path, "run(lambda request: 1 / 0)", redirect="2>/dev/full")
    assert answer.status == 500
    assert answer.page.endswith("</html>\n")


def test_a_log_whose_reader_is_gone_loses_only_the_entry(tmp_path: Path) -> None:
    from child import start, write_script

    reader, writer = os.pipe()
    os.close(reader)
    script = write_script(tmp_path, "run(lambda request: 1 / 0)")
    with start(script, environment(), stderr=writer) as process:
        os.close(writer)
        output, _ = process.communicate()
    assert output.startswith(b"Status: 500 ")
    assert output.endswith(b"</html>\n")
