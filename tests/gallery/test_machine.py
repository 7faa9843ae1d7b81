"""The machine of the gallery: who may see it, what is said of the system, and the log as it grows."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from cgikit import FileStore
from cgikit.testing import Answer, Client

from .loading import load, token


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("getpass.getpass", lambda prompt: "open sesame")
    (tmp_path / "data").mkdir()
    module = load("machine")
    module.SECONDS = 0  # a stream is over when it has sent what there is
    return module


@pytest.fixture
def client(machine: Any, tmp_path: Path) -> Client:
    return Client(machine.machine, sessions=FileStore(tmp_path / "sessions"))


def write(tmp_path: Path, text: str) -> None:
    with (tmp_path / "data" / "machine.log").open("a", encoding="utf-8") as log:
        log.write(text)


def log_in(client: Client, password: str = "open sesame") -> Answer:
    page = client.get()
    return client.post(data={"csrf": token(page.text), "password": password})


@pytest.fixture
def owner(machine: Any, client: Client) -> Client:
    machine.set_password()
    client.get()
    before = dict(client.cookies)
    assert log_in(client).status == 303
    assert dict(client.cookies) != before
    return client


def events(answer: Answer) -> list[dict[str, str]]:
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    found = []
    for block in answer.text.split("\n\n"):
        lines = [each.split(": ", 1) for each in block.split("\n") if not each.startswith(":")]
        found.append({pair[0]: pair[1] for pair in lines if len(pair) == 2})
    return [each for each in found if each]


def log_lines(answer: Answer) -> list[str]:
    return [each["data"] for each in events(answer) if "event" not in each]


def test_who_has_not_logged_in_sees_nothing(client: Client, machine: Any, tmp_path: Path) -> None:
    write(tmp_path, "a secret line\n")
    assert "There is no password yet" in client.get().text
    machine.set_password()
    for path in ("", "/events", "/events?after=1-0"):
        answer = client.get(path)
        assert answer.status == (403 if path else 200)
        assert "secret line" not in answer.text
        assert "GiB" not in answer.text
    assert log_in(client, "guessed").status == 422
    assert client.get("/events").status == 403
    assert client.post(data={"password": "open sesame"}).status == 403  # from another site


def test_being_local_is_not_enough_unless_the_owner_says_so(client: Client, machine: Any) -> None:
    machine.set_password()
    here: Any = {"headers": {"Host": "127.0.0.1:8000"}, "environ": {"REMOTE_ADDR": "127.0.0.1"}}
    assert "Password" in client.get(**here).text
    machine.LOOPBACK = True
    assert "GiB" in client.get(**here).text


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        ({"Host": "127.0.0.1"}, "192.0.2.1"),
        ({"Host": "www.example.org"}, "127.0.0.1"),
        ({"Host": "127.0.0.1.example.org"}, "127.0.0.1"),
        ({"Host": "localhost", "X-Forwarded-For": "192.0.2.1"}, "127.0.0.1"),
        ({"Host": "localhost", "Via": "1.1 proxy"}, "::1"),
    ],
)
def test_a_visitor_by_way_of_a_proxy_is_not_local(
    client: Client, machine: Any, headers: dict[str, str], address: str
) -> None:
    machine.set_password()
    machine.LOOPBACK = True
    for path in ("", "/events"):
        answer = client.get(path, headers=headers, environ={"REMOTE_ADDR": address})
        assert "GiB" not in answer.text


def test_after_five_guesses_a_network_has_to_wait_and_nobody_else(
    client: Client, machine: Any
) -> None:
    """A count of all would let a stranger keep the owner out for ever."""
    machine.set_password()
    for last in range(5):  # a customer has more IPv6 addresses than there are guesses
        client.environ["REMOTE_ADDR"] = f"2001:db8::{last}"
        assert log_in(client, "guess").status == 422
    answer = log_in(client)
    assert answer.status == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 600
    client.environ["REMOTE_ADDR"] = "2001:db8:0:1::1"
    assert log_in(client).status == 303


def test_the_page_says_what_the_system_says(owner: Client, machine: Any) -> None:
    page = owner.get().text
    size = os.statvfs("/").f_blocks * os.statvfs("/").f_frsize
    assert f"of {size / 2**30:.1f} GiB" in page
    assert f"on {os.cpu_count()} processors" in page
    found = machine.values()
    assert found["disk-0"][0] == "Disk /"
    assert all(share >= 0 for _, _, share in found.values())
    if Path("/proc/meminfo").exists():
        assert 0 < found["memory"][2] < 1
        assert "Up for" in page


def test_without_proc_it_shows_the_rest(machine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "of_proc", lambda name: {})
    assert set(machine.values()) == {"load", "disk-0"}


def test_the_last_lines_are_shown_as_text(owner: Client, tmp_path: Path) -> None:
    write(tmp_path, "".join(f"line {n}\n" for n in range(30)) + "<script>x\x1b[31m\n unfinished")
    page = owner.get().text
    assert "line 10\n" not in page
    assert "line 11\n" in page
    assert "&lt;script&gt;x\ufffd[31m" in page
    assert "unfinished" not in page


def test_new_lines_are_events_and_none_is_missed(owner: Client, tmp_path: Path) -> None:
    write(tmp_path, "old\n")
    page = owner.get().text
    after = page.partition("?after=")[2].partition('"')[0]
    assert log_lines(owner.get(f"/events?after={after}")) == []
    write(tmp_path, "new <b>\nnewer\nhalf")
    answer = owner.get(f"/events?after={after}")
    assert log_lines(answer) == ["new <b>", "newer"]
    last = next(each["id"] for each in events(answer) if "id" in each)
    write(tmp_path, " a line\n")
    again = owner.get(f"/events?after={after}", headers={"Last-Event-ID": last})
    assert log_lines(again) == ["half a line"]
    values = next(each for each in events(again) if each.get("event") == "values")
    assert "GiB" in json.loads(values["data"])["disk-0"][0]


def test_a_new_log_begins_anew(owner: Client, machine: Any, tmp_path: Path) -> None:
    write(tmp_path, "old\nolder\n")
    _, after = machine.last_lines()
    (tmp_path / "data" / "machine.log").rename(tmp_path / "data" / "machine.log.1")
    assert log_lines(owner.get(f"/events?after={after}")) == []
    write(tmp_path, "rotated, and already longer\n")
    assert log_lines(owner.get(f"/events?after={after}")) == ["rotated, and already longer"]
    _, after = machine.last_lines()
    (tmp_path / "data" / "machine.log").write_text("cut\n")
    assert log_lines(owner.get(f"/events?after={after}")) == ["cut"]


@pytest.mark.parametrize("after", ["x", "1", "1-", "-1", "1-2-3", "1-\u0664", "1-" + "9" * 40])
def test_a_position_that_was_not_given_is_refused(owner: Client, after: str) -> None:
    assert owner.get("/events", params={"after": after}).status == 400


def test_long_lines_and_large_logs_are_cut(owner: Client, machine: Any, tmp_path: Path) -> None:
    write(tmp_path, "x" * 300_000 + "\n" + "y" * 300_000 + "\nend\n")
    page = owner.get().text
    assert "end\n" in page
    assert len(page) < 60_000
    inode = (tmp_path / "data" / "machine.log").stat().st_ino
    lines, _ = machine.read_log(f"{inode}-0")
    assert [len(each) for each in lines] == [machine.MOST_CHARACTERS]


def test_no_name_of_a_file_comes_from_the_visitor(owner: Client) -> None:
    assert "root:" not in owner.get("?log=../../../../etc/passwd").text
    assert owner.get("/etc/passwd").status == 404


def test_an_open_stream_keeps_no_page_waiting(
    owner: Client, machine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock of the session is given back before the first event."""
    seen = []
    monkeypatch.setattr(machine, "numbers", lambda: seen.append(owner.get().status))
    assert owner.get("/events").status == 200
    assert seen == [200]


def test_logging_out_ends_it(owner: Client) -> None:
    page = owner.get().text
    assert owner.post(data={}).status == 403  # from another site
    assert owner.post(data={"csrf": token(page)}).status == 303
    assert "Password" in owner.get().text
    assert owner.get("/events").status == 403
