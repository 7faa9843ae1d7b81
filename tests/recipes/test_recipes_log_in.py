"""Recipes for members, attacked as a visitor would: the log-in, and downloads behind it."""

import json
import stat
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode

import pytest
from serving import serve

from cgikit.testing import Client
from recipes.recipe import put, token, visitor

PASSWORD = "a long pass phrase"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The scripts, an account, and files for members."""
    put(tmp_path, "accounts.py")
    put(tmp_path, "members.py")
    (tmp_path / "data").mkdir()
    run_in(tmp_path, f'accounts.add("ada", {PASSWORD!r})')
    shared = tmp_path / "shared"
    shared.mkdir()
    put(tmp_path, "files.py", {"/srv/members": str(shared)})
    (shared / "plan.pdf").write_bytes(b"%PDF the plan")
    (shared / "50% & <b>.html").write_text("<script>alert(1)</script>")
    (tmp_path / "secret.txt").write_text("secret")
    (shared / "link.txt").symlink_to(tmp_path / "secret.txt")
    (shared / "folder").mkdir()
    return tmp_path


def run_in(place: Path, line: str) -> None:
    subprocess.run([sys.executable, "-c", f"import accounts; {line}"], cwd=place, check=True)


def log_in(client: Client, **form: str) -> int:
    own = token(client)
    return client.post(data={"name": "ada", "password": PASSWORD, "csrf": own, **form}).status


def test_the_right_password_and_no_other(site: Path) -> None:
    client = visitor(site / "members.py")
    assert log_in(client, password="wrong") == 200
    assert log_in(client, name="bob") == 200
    assert log_in(client, name="bob", password="") == 200
    assert "Hello" not in client.get().text
    before = dict(client.cookies)
    assert log_in(client) == 303
    assert "Hello, ada" in client.get().text
    assert dict(client.cookies) != before  # another id than before the log-in
    old = visitor(site / "members.py")
    for name, value in before.items():
        old.cookies[name] = value
    assert "name" in old.get().text
    assert (site / "data" / "accounts.json").stat().st_mode & stat.S_IWOTH == 0


def test_the_session_ends_on_the_server_with_the_log_out(site: Path) -> None:
    client = visitor(site / "members.py")
    log_in(client)
    stolen = dict(client.cookies)
    assert client.post(data={"out": "1"}).status == 403  # a form of another site
    assert client.post(data={"out": "1", "csrf": token(client)}).status == 303
    thief = visitor(site / "members.py")
    for name, value in stolen.items():
        thief.cookies[name] = value
    assert "Hello" not in thief.get().text


def test_the_box_decides_how_long_the_browser_keeps_the_cookie(site: Path) -> None:
    for form, kept in (({}, False), ({"remember": "on"}, True)):
        client = visitor(site / "members.py")
        answer = client.post(
            data={"name": "ada", "password": PASSWORD, "csrf": token(client), **form}
        )
        assert ("Max-Age=" in answer.headers["Set-Cookie"]) is kept


def test_guesses_are_limited_by_name_from_whatever_address(site: Path) -> None:
    told = []
    for guess in range(12):
        client = visitor(site / "members.py", f"192.0.2.{guess}")
        told.append(log_in(client, password=f"guess {guess}"))
    assert told == [200] * 10 + [429] * 2
    assert log_in(visitor(site / "members.py", "192.0.2.99")) == 429  # the owner waits as well


def test_guesses_are_limited_by_address_whatever_the_name(site: Path) -> None:
    put(site, "accounts.py", {'{address}", 30)': '{address}", 5)'})
    client = visitor(site / "members.py")
    told = [log_in(client, name=f"n{guess}", password="123456") for guess in range(6)]
    assert told == [200] * 5 + [429]
    assert log_in(visitor(site / "members.py", "192.0.2.8")) == 303


def test_an_address_that_is_blocked_locks_no_names(site: Path) -> None:
    put(site, "accounts.py", {'{address}", 30)': '{address}", 3)', '{name}", 10)': '{name}", 4)'})
    client = visitor(site / "members.py")
    for name in ("n", "n", "n", *["ada"] * 8):
        log_in(client, name=name, password="123456")
    assert log_in(visitor(site / "members.py", "192.0.2.8")) == 303


def test_capital_letters_make_no_other_name(site: Path) -> None:
    run_in(site, f'accounts.add("Bob@Example.org", {PASSWORD!r})')
    for name in ("ADA", "bob@example.org", "BOB@Example.org"):
        client = visitor(site / "members.py")
        assert log_in(client, name=name) == 303
        assert f"Hello, {name.lower()}." in client.get().text
    told = [
        log_in(visitor(site / "members.py", f"192.0.2.{n}"), name=name, password="guess")
        for n, name in enumerate(["ada", "Ada", "ADA", "aDa"] * 3)
    ]
    assert told == [200] * 10 + [429] * 2


def test_nobody_else_can_read_the_hashes(site: Path) -> None:
    accounts = site / "data" / "accounts.json"
    assert accounts.stat().st_mode & 0o777 == 0o600
    accounts.chmod(0o644)
    run_in(site, f'accounts.add("bob", {PASSWORD!r})')
    assert accounts.stat().st_mode & 0o777 == 0o600


def test_guesses_at_the_same_time_get_no_further(site: Path) -> None:
    """Eight visitors guess at once, over HTTP: three are answered."""
    put(site, "accounts.py", {'{name}", 10)': '{name}", 3)'})
    with serve(site) as server:
        ready = threading.Barrier(8)

        def guess(number: int) -> int:
            opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
            with opener.open(server.url + "members.py") as page:
                own = page.read().decode().split('name="csrf" value="')[1].split('"')[0]
            form = {"name": "ada", "password": f"guess {number}", "csrf": own}
            ready.wait(60)
            try:
                with opener.open(server.url + "members.py", urlencode(form).encode()) as answer:
                    return int(answer.status)
            except urllib.error.HTTPError as error:
                error.close()
                return error.code

        with ThreadPoolExecutor(8) as pool:
            told = sorted(pool.map(guess, range(8)))
    assert told == [200] * 3 + [429] * 5


def test_two_clicks_on_log_in_are_one(site: Path) -> None:
    client = visitor(site / "members.py")
    form = {"name": "ada", "password": PASSWORD, "csrf": token(client)}
    assert [client.post(data=form).status for _ in range(2)] == [303, 303]
    assert "Hello, ada" in client.get().text


def test_a_damaged_or_missing_file_of_accounts_lets_nobody_in(site: Path) -> None:
    client = visitor(site / "members.py")
    client.raise_errors = False
    own = token(client)
    for text in ("", "{", "[]"):
        (site / "data" / "accounts.json").write_text(text)
        form = {"name": "ada", "password": PASSWORD, "csrf": own}
        assert client.post(data=form).status == 500
    assert "Hello" not in client.get().text


# --- downloads ---------------------------------------------------------------------------------


def member(site: Path) -> Client:
    client = Client(site, environ={"REMOTE_ADDR": "192.0.2.7"})
    page = client.get("/members.py").text
    own = page.split('name="csrf" value="')[1].split('"')[0]
    form = {"name": "ada", "password": PASSWORD, "csrf": own}
    assert client.post("/members.py", data=form).status == 303
    return client


def test_strangers_are_sent_to_the_log_in(site: Path) -> None:
    client = Client(site)
    for path in ("/files.py", "/files.py?name=plan.pdf", "/files.py?name=none", "/files.py/x/y"):
        answer = client.get(path)
        assert answer.status == 302
        assert "plan" not in answer.text.replace("name=plan", "")
    client.cookies["session"] = "A" * 43
    assert client.get("/files.py?name=plan.pdf").status == 302


def test_members_see_the_files_and_get_them(site: Path) -> None:
    client = member(site)
    page = client.get("/files.py").text
    assert "link.txt" not in page
    assert "folder" not in page
    assert "50% &amp; &lt;b&gt;.html" in page
    answer = client.get("/files.py?name=plan.pdf")
    assert answer.content == b"%PDF the plan"
    assert answer.headers["Cache-Control"] == "private, no-cache"
    again = client.get("/files.py?name=plan.pdf", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status == 304
    other = client.get("/files.py?name=50%25+%26+%3Cb%3E.html")
    assert other.headers["Content-Disposition"].startswith("attachment")
    assert other.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "name",
    ["../secret.txt", "..%2Fsecret.txt", "/etc/passwd", "link.txt", "folder", ".", "..", "",
     "plan.pdf%00", "plan.pdf/", "folder/../plan.pdf", "%2e%2e/secret.txt", "x" * 5000],
)  # fmt: skip
def test_no_name_leads_out_of_the_folder(site: Path, name: str) -> None:
    client = member(site)
    assert client.get(f"/files.py?name={name}").status == 404


def test_the_accounts_hold_no_password(site: Path) -> None:
    text = (site / "data" / "accounts.json").read_text()
    salt, _, digest = json.loads(text)["ada"].partition(":")
    assert PASSWORD not in text
    assert (len(salt), len(digest)) == (32, 128)
