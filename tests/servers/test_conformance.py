"""Every case of RFC 3875 on every server; what servers do instead is a table, and has to stay true."""

import json
import os
import re
from pathlib import Path

import pytest

from . import report
from .fixtures import SERVERS
from .guarded import GUARDS
from .rawhttp import read
from .rfc3875 import Case, applies, attempt, checks, differ, install, load, recorded, rules, servers
from .server import Server
from .wsgi_servers import WSGI_SERVERS

ROOT = Path(__file__).parents[2]
CASES = load()
RECORD = os.environ.get("CGIKIT_RECORD")


@pytest.fixture(scope="session")
def prepared(server: Server) -> Server:
    """The server with the scripts of all cases in place."""
    install(CASES, server)
    return server


@pytest.mark.parametrize("case", [c for c in CASES if not c.guarded], ids=lambda c: c.name)
def test_case(prepared: Server, case: Case) -> None:
    check(case, prepared)


@pytest.mark.parametrize("case", [c for c in CASES if c.guarded], ids=lambda c: c.name)
def test_case_with_a_password(guarded: Server, case: Case) -> None:
    check(case, guarded)


@pytest.mark.parametrize("case", [c for c in CASES if c.side == "script"], ids=lambda c: c.name)
def test_case_under_wsgi(under_wsgi: Server, case: Case) -> None:
    check(case, under_wsgi)


def check(case: Case, server: Server) -> None:
    """Run a case: what differs has to be what is recorded for this server, no more and no less."""
    found = attempt(case, server)
    if RECORD:
        with open(RECORD, "a") as record:
            record.write(json.dumps([case.name, server.name, found]) + "\n")
        return
    entry = recorded().get((case.name, server.name))
    expected = checks(entry["differences"]) if entry else []
    if entry and entry.get("sometimes") and not found:
        return
    assert checks(found) == expected, (
        f"{case.title} ({case.rule}, section {case.section})\n"
        f"now:      {found or 'as it should be'}\n"
        f"recorded: {entry['differences'] if entry else 'no deviation'}"
    )


# --- the tables ---------------------------------------------------------------------------------


def test_every_rule_is_shown_by_a_case_or_a_test() -> None:
    assert list(rules()) == [f"R{number}" for number in range(1, 51)]
    shown = {case.rule for case in CASES}
    assert [
        name for name, rule in rules().items() if name not in shown and not rule.get("tests")
    ] == []


@pytest.mark.parametrize("named", sorted({t for r in rules().values() for t in r.get("tests", [])}))
def test_a_named_test_exists(named: str) -> None:
    path, _, function = named.partition("::")
    assert re.search(rf"^def {function}\(", (ROOT / path).read_text(), re.MULTILINE)


def test_the_files_are_well_formed() -> None:
    for case in CASES:
        assert case.name.startswith(f"{case.rule}-"), case.name
        assert case.side in ("script", "host"), case.name
        assert case.level in ("MUST", "SHOULD", "MAY", "should"), case.name
        unknown = {*case.expect} - {
            *("status", "reason", "body", "raw", "cut", "fields", "json"),
            *("script_uri", "same", "foreign", "crlf"),
        }
        assert not unknown, f"{case.name}: {unknown}"
    titles = [case.title for case in CASES]
    assert len(set(titles)) == len(titles)


def test_every_server_is_described() -> None:
    assert {*SERVERS, *WSGI_SERVERS} <= set(servers())


def test_servers_that_can_ask_for_a_password_are_asked_to() -> None:
    assert {name for name, server in servers().items() if server.get("guards")} == set(GUARDS)
    assert all(case.side == "host" for case in CASES if case.guarded)


def test_deviations_are_of_cases_that_run() -> None:
    known = {case.name: case for case in CASES}
    for case, server in recorded():
        assert applies(known[case], server), f"{case} on {server}"


def test_every_deviation_has_a_cause() -> None:
    causes = report.causes()
    assert [key for key, entry in recorded().items() if entry["cause"] not in causes] == []
    assert set(causes) == {entry["cause"] for entry in recorded().values()}


def test_what_cgikit_itself_deviates_in_is_said_to_be_its_own() -> None:
    """Where another host runs the script, nobody else can be to blame."""
    ours = {name for name, server in servers().items() if server["host"] != "own"}
    for (case, server), entry in recorded().items():
        by = report.causes()[entry["cause"]]["by"]
        assert by in ("server", "cgikit", "protocol"), entry["cause"]
        assert server in ours or by == "server", f"{case} on {server}: {entry['cause']}"


def test_the_page_is_what_the_tables_say() -> None:
    """If not: `cd tests && python -m servers.report` writes it anew, `make servers` the tables too."""
    assert (ROOT / "docs" / "deploy" / "servers.md").read_text() == report.page()


# --- the runner -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        (b"", "no answer at all"),
        (b"<p>hello", "no header block"),
        (b"<p>hello\r\n\r\n", "no status line"),
        (b"HTTP/1.1 200 OK\r\nA: b\rC: d\r\n\r\n", "a CR or NUL inside of the header"),
        (b"HTTP/1.1 200 OK\r\nA : b\r\n\r\n", "a line of the header that is no field"),
        (b"HTTP/1.1 200\r\nA: b\r\n\r\n", "a malformed status line"),
        (b"HTTP/1.1 200 OK\r\nDate: a\r\nDate: b\r\n\r\n", "Date comes 2 times"),
        (b"HTTP/1.1 204 No Content\r\n\r\nx", "a body where there is none"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxy", "bytes beyond the Content-Length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\nx", "a Content-Length that is no number"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n",
            "both Transfer-Encoding and Content-Length",
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nx",
            "bytes beyond the last chunk",
        ),
    ],
)
def test_the_client_sees_what_is_malformed(raw: bytes, fault: str) -> None:
    assert fault in read(raw, "GET", "HTTP/1.1").faults


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\ncut",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ncut\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\ncut",
    ],
)
def test_the_client_sees_what_is_cut(raw: bytes) -> None:
    answer = read(raw, "GET", "HTTP/1.1")
    assert (answer.body, answer.complete, answer.faults) == (b"cut", False, [])


def test_the_client_reads_what_is_well_formed() -> None:
    raw = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = read(raw + b"3\r\nab\n\r\n1;x=y\r\nc\r\n0\r\n\r\n", "GET", "HTTP/1.1")
    assert (answer.status, answer.reason, answer.body) == (200, "OK", b"ab\nc")
    assert (answer.complete, answer.crlf, answer.faults) == (True, True, [])
    assert not read(b"HTTP/1.1 200 OK\r\nA: b\n\r\n", "GET", "HTTP/1.1").crlf


@pytest.mark.parametrize(
    ("wanted", "seen", "same"),
    [
        ("a", "a", True),
        ("a", None, False),
        ("~ a.*", "ab\nc", True),
        ("~ a.*", "ba", False),
        ("~ a.*", None, False),
        ("port {port}", "port 80", True),
        ("~ {host}", "1a2:80", False),  # a dot of an address is no wildcard
        (True, "", True),
        (True, None, False),
        (False, "", True),
        (False, None, True),
        (False, "a", False),
        (["a", "b"], ["a", "b"], True),
        (["a", "b"], ["b", "a"], False),
        ({"A": "b"}, {"A": "b", "C": "d"}, True),
        ({"A": "b"}, {}, False),
    ],
)
def test_values_are_compared_as_described(wanted: object, seen: object, same: bool) -> None:
    assert (differ("it", wanted, seen, {"port": "80", "host": "1.2:80"}) == []) is same
