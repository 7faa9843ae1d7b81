"""Recipes that store and send data, attacked as a visitor would: SQLite, JSON, CSV, rate limits."""

import csv
import io
import json
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from recipes.recipe import put, sources, token, visitor

# --- SQLite ------------------------------------------------------------------------------------


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return put(tmp_path, "notes.py")


def rows(script: Path) -> list[str]:
    with closing(sqlite3.connect(script.parent / "data" / "notes.db")) as db:
        return [text for (text,) in db.execute("SELECT text FROM note ORDER BY id")]


def test_a_note_is_data(notes: Path) -> None:
    client = visitor(notes)
    own = token(client)
    sent = ["'); DROP TABLE note; --", "<script>alert(1)</script>", "ü ☃ 🍵", "x" * 200]
    for note in sent:
        assert client.post(data={"note": note, "csrf": own}).status == 303
    assert client.post(data={"note": "x" * 201, "csrf": own}).status == 200
    assert client.post(data={"note": "no token"}).status == 403
    assert rows(notes) == sent
    page = client.get().text
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_many_first_requests_at_once_make_one_database(notes: Path) -> None:
    """The tables are made, and the mode is set, while others open the file."""
    for _ in range(5):
        started = [
            subprocess.Popen(
                [sys.executable, notes.name], cwd=notes.parent, text=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )
            for _ in range(12)
        ]  # fmt: skip
        for process in started:
            output, errors = process.communicate(timeout=120)
            assert errors == ""
            assert output.startswith("Content-Type: text/html")
        with closing(sqlite3.connect(notes.parent / "data" / "notes.db")) as db:
            assert db.execute("PRAGMA user_version").fetchone() == (2,)
        for path in (notes.parent / "data").glob("notes.db*"):
            path.unlink()


def test_no_note_of_many_writers_is_lost(notes: Path) -> None:
    client = visitor(notes)
    token(client)
    code = (
        "import notes\nfrom contextlib import closing\n"
        "for n in range(25):\n  with closing(notes.connect()) as db, notes.transaction(db):\n"
        "    (count,) = db.execute('SELECT count(*) FROM note').fetchone()\n"
        "    db.execute('INSERT INTO note (text) VALUES (?)', (str(count),))\n"
    )
    started = [subprocess.Popen([sys.executable, "-c", code], cwd=notes.parent) for _ in range(6)]
    assert [process.wait(120) for process in started] == [0] * 6
    assert rows(notes) == [str(n) for n in range(150)]  # each saw what the others had written


def test_an_older_database_gets_what_it_lacks_or_nothing(notes: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "data" / "notes.db")) as db:
        db.execute("CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL)")
        db.execute("INSERT INTO note (text) VALUES ('old')")
        db.execute("PRAGMA user_version = 1")
        db.commit()
    assert "old" in visitor(notes).get().text
    wrong = put(tmp_path, "notes.py", {'DEFAULT \'\'",\n': 'DEFAULT \'\'",\n    "CREATE TABLE b (a)",'
                                       ' "NO SQL",\n'})  # fmt: skip
    client = visitor(wrong)
    client.raise_errors = False
    assert client.get().status == 500
    with closing(sqlite3.connect(tmp_path / "data" / "notes.db")) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (2,)
        assert db.execute("SELECT name FROM sqlite_master").fetchall() == [("note",)]


# --- JSON and CORS -----------------------------------------------------------------------------

APP = "https://app.example.org"


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    return put(tmp_path, "tasks.py")


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "http://app.example.org", "https://app.example.org.evil.example",
     "https://evil-app.example.org", "https://APP.example.org", "https://app.example.org:8443"],
)  # fmt: skip
def test_other_sites_read_and_write_nothing(tasks: Path, origin: str) -> None:
    client = visitor(tasks)
    for answer in (
        client.get(headers={"Origin": origin}),
        client.post(json={"title": "x"}, headers={"Origin": origin}),
        client.options(headers={"Origin": origin, "Access-Control-Request-Method": "POST"}),
    ):
        assert answer.status == 403
        assert answer.headers.get("Access-Control-Allow-Origin") is None
        assert answer.headers["Vary"] == "Origin"
    assert not (tasks.parent / "data").exists()


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        ('{"title": "x"}', "text/plain", 415),
        ('{"title": "x"}', "application/x-www-form-urlencoded", 415),
        ('{"title": "x"', "application/json", 400),
        ('{"title": ""}', "application/json", 400),
        ('{"title": " \u3000"}', "application/json", 400),
        ('{"title": "a\\u0000"}', "application/json", 400),
        ('{"title": "\\ud800"}', "application/json", 400),
        ('{"title": ["x"]}', "application/json", 400),
        ('["title"]', "application/json", 400),
        ("[" * 100_000, "application/json", 413),
        ('{"title": "' + "x" * 201 + '"}', "application/json", 400),
        ('{"title": "' + "x" * 3_000_000 + '"}', "application/json", 400),
        ("", "application/json", 400),
    ],
)
def test_what_is_no_task_is_refused_in_json(
    tasks: Path, content: str, kind: str, status: int
) -> None:
    client = visitor(tasks)
    answer = client.post(content=content, headers={"Content-Type": kind, "Origin": APP})
    assert answer.status == status
    assert set(answer.json()) == {"error"}
    assert answer.headers["Access-Control-Allow-Origin"] == APP
    assert client.get().json() == {"tasks": []}


def test_tasks_at_the_same_time_get_numbers_of_their_own(tasks: Path) -> None:
    client = visitor(tasks)
    ready = threading.Barrier(8)

    def add(number: int) -> int:
        ready.wait(60)
        return int(visitor(tasks).post(json={"title": f"{number}"}).json()["id"])

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(add, range(8))) == list(range(1, 9))
    assert len(client.get().json()["tasks"]) == 8
    assert client.delete().status == 405


def test_the_list_has_an_end(tasks: Path) -> None:
    (tasks.parent / "data").mkdir()
    full = [{"id": n, "title": "x"} for n in range(1, 1001)]
    (tasks.parent / "data" / "tasks.json").write_text(json.dumps(full))
    client = visitor(tasks)
    assert client.post(json={"title": "x"}).status == 507
    assert len(client.get().json()["tasks"]) == 1000


# --- CSV ---------------------------------------------------------------------------------------


def exported(folder: Path, entries: list[str], query: str = "") -> list[list[str]]:
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data" / "guests.tsv").write_text("".join(f"{e}\n" for e in entries))
    answer = visitor(put(folder, "export.py")).get(query)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.content.startswith(b"\xef\xbb\xbf")
    text = answer.content.decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=";" if query else ","))


def test_no_cell_begins_as_a_formula(tmp_path: Path) -> None:
    signs = ["=1+1", "+1+1", "-1+1", "@SUM(A1)", " =1+1", "\u3000=1", "\uff1d1", "\uff0d1+x",
             "=cmd|' /C calc'!A0", '"=1+1"', "\r=1", "\0=1", "-", "+49 30 1234"]  # fmt: skip
    (_, *lines) = exported(tmp_path, [f"Eve\t{sign}\tx" for sign in signs])
    assert len(lines) == len(signs)
    for sign, (_, cell, _) in zip(signs, lines, strict=True):
        assert cell == ("" if sign == '"=1+1"' else "'") + sign.replace("\0", ""), sign


def test_what_is_no_formula_comes_back_as_it_was(tmp_path: Path) -> None:
    cells = ["-3,5", "+7", "-3.5", "", "a,b;c", 'said "hi"', "ünï ☃", "a=b", "007", "'quoted'"]
    for query in ("", "?separator=;"):
        (_, *lines) = exported(tmp_path, ["\t".join(cells)], query)
        assert lines == [cells]


def test_another_separator_is_refused(tmp_path: Path) -> None:
    script = put(tmp_path, "export.py")
    assert visitor(script).get("?separator=%7C").status == 400


# --- the rate limit ----------------------------------------------------------------------------


def test_the_limit_holds_for_requests_at_the_same_time(tmp_path: Path) -> None:
    script = put(tmp_path, "search.py", {"most=20": "most=5"})
    (tmp_path / "data").mkdir()
    with ThreadPoolExecutor(12) as pool:
        told = sorted(pool.map(lambda _: visitor(script).get("?q=tea").status, range(12)))
    assert told == [200] * 5 + [429] * 7
    assert visitor(script, "192.0.2.8").get().status == 200


def test_what_a_visitor_sends_is_not_the_address(tmp_path: Path) -> None:
    script = put(tmp_path, "search.py", {"most=20": "most=1"})
    fields = {"X-Forwarded-For": "198.51.100.9", "Forwarded": "for=198.51.100.9"}
    assert [visitor(script).get(headers=fields).status for _ in range(2)] == [200, 429]


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::1", "::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unix:", "unix:"),
        ("", ""),
    ],
)
def test_which_addresses_count_as_one(address: str, counted: str) -> None:
    names: dict[str, object] = {"__name__": "search"}
    exec(sources()["search.py"], names)  # as an import would
    network = names["network"]
    assert callable(network)
    assert network(address) == counted
