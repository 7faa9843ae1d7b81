"""The examples that keep something (counter, guestbook, poll, log-in), by curl under every server."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree

import pytest

from .curl import Answer, curl
from .server import Server


@pytest.mark.parametrize("style", ["plain", "led", "odometer"])
def test_counter_draws_the_number(server: Server, style: str) -> None:
    def number() -> int:
        answer = curl(server.url(f"counter.py?style={style}&digits=8"))
        assert answer.header("Content-Type") == "image/svg+xml", server.error_log()
        assert answer.header("Cache-Control") == "no-store"
        label = ElementTree.fromstring(answer.text).get("aria-label")
        assert label is not None
        assert len(label) == 8
        return int(label)

    assert number() + 1 == number()


def test_counter_has_no_other_style(server: Server) -> None:
    answer = curl(server.url("counter.py?style=roman"))
    assert answer.status == 400
    assert "plain, led, odometer" in answer.text


def entries(answer: Answer) -> list[str]:
    return re.findall(r"<h2>(?!\d)(.*?)</h2>", answer.text)


class Sender:
    """A curl with a jar of its own, which sends the form of a page with its token."""

    def __init__(self, server: Server, name: str, jar: Path) -> None:
        self.server, self.url = server, server.url(name)
        self.jar = ["--cookie-jar", str(jar), "--cookie", str(jar)]

    def send(self, **fields: str) -> Answer:
        page = curl(self.url, *self.jar)
        found = re.search(r'name="csrf" value="([^"]+)"', page.text)
        assert found, self.server.error_log()
        sent = {"csrf": found[1], **fields}
        data = [word for pair in sent.items() for word in ("--data-urlencode", "=".join(pair))]
        return curl(self.url, *self.jar, *data)


def test_guestbook_escapes_keeps_and_turns_pages(server: Server) -> None:
    """With lines as an old script in Perl has left them."""
    url = server.url("guestbook.py")
    assert curl(url).status == 200, server.error_log()
    kept = server.directory / "data" / "guestbook.txt"
    names = [f"visitor {number}" for number in range(12)]
    old = [f"1000000000\t{name}\t\tHello" for name in (*names, "<script>")]
    kept.write_text("".join(f"{line}\n" for line in old))
    page = curl(url)
    assert entries(page)[0] == "&lt;script&gt;"
    shown = []
    for number in (1, 2):
        shown += entries(curl(f"{url}?page={number}"))
    assert shown[1:] == names[::-1]


def test_guestbook_wants_a_name_and_a_text(server: Server, tmp_path: Path) -> None:
    visitor = Sender(server, "guestbook.py", tmp_path / "jar")
    assert visitor.send(name=" ", text="Hello").status == 422
    assert curl(server.url("guestbook.py"), "--data", "name=Ada&text=Hello").status == 403
    assert curl(server.url("guestbook.py?page=99999")).status == 400


def test_poll_loses_no_vote(server: Server, tmp_path: Path) -> None:
    kept = server.directory / "data" / "votes.json"

    def votes() -> int:
        return sum(json.loads(kept.read_text()).values()) if kept.exists() else 0

    before = votes()
    visitors = [Sender(server, "poll.py", tmp_path / f"jar{number}") for number in range(12)]
    with ThreadPoolExecutor(8) as voters:
        answers = list(voters.map(lambda visitor: visitor.send(choice="PHP"), visitors))
    assert {answer.status for answer in answers} == {303}, server.error_log()
    assert votes() == before + 12
    assert Sender(server, "poll.py", tmp_path / "jar").send(choice="COBOL").status == 422


def test_poll_counts_a_visitor_once(server: Server, tmp_path: Path) -> None:
    visitor = Sender(server, "poll.py", tmp_path / "jar")
    page = curl(visitor.url, *visitor.jar).text
    token = page.partition('name="csrf" value="')[2].partition('"')[0]
    vote = ["--data-urlencode", f"csrf={token}", "--data", "choice=PHP"]
    curl(visitor.url, *visitor.jar, *vote)
    kept = (server.directory / "data" / "votes.json").read_text()
    curl(visitor.url, *visitor.jar, *vote)
    assert (server.directory / "data" / "votes.json").read_text() == kept
    assert "Thank you" in curl(visitor.url, *visitor.jar).text


class Visitor:
    """A curl with a jar of its own that knows how to press the log-in page's buttons."""

    def __init__(self, server: Server, jar: Path) -> None:
        self.server, self.url = server, server.url("login.py")
        self.jar = ["--cookie-jar", str(jar), "--cookie", str(jar)]

    def look(self) -> Answer:
        answer = curl(self.url, *self.jar)
        assert answer.status == 200, self.server.error_log()
        return answer

    def press(self, do: str, **fields: str) -> Answer:
        found = re.search(r'name="csrf" value="([^"]+)"', self.look().text)
        assert found
        sent = {"csrf": found[1], "do": do, **fields}
        data = [word for pair in sent.items() for word in ("--data-urlencode", "=".join(pair))]
        return curl(self.url, *self.jar, *data)


def test_login_rotates_and_greets_and_logs_out(server: Server, tmp_path: Path) -> None:
    visitor = Visitor(server, tmp_path / "jar")
    before = visitor.look().header("Set-Cookie").partition(";")[0]
    answer = visitor.press("login", name="ada", password="lovelace")
    assert answer.status == 303, server.error_log()
    cookie = answer.header("Set-Cookie")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert before.startswith("session-")
    assert not cookie.startswith(before)
    page = visitor.look().text
    assert "Hello, ada" in page
    assert "You are logged in." in page
    assert "You are logged in." not in visitor.look().text
    # Whoever had the old id has nothing by it.
    assert "Hello, ada" not in curl(visitor.url, "--cookie", before).text
    visitor.press("logout")
    page = visitor.look().text
    assert "You are logged out." in page
    assert "Hello, ada" not in page


def test_login_takes_no_wrong_password_and_no_foreign_form(server: Server, tmp_path: Path) -> None:
    visitor = Visitor(server, tmp_path / "jar")
    visitor.press("login", name="ada", password="byron")
    assert "Name or password is wrong." in visitor.look().text
    forged = ["--data", "csrf=forged&do=login&name=ada&password=lovelace"]
    assert curl(visitor.url, *visitor.jar, *forged).status == 403
    assert "Hello, ada" not in visitor.look().text
