"""The contact form of the gallery: who gets the mails, what is in them, and what is refused."""

import email
import email.policy
import sys
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from reading import elements

from cgikit import FileStore, Limits
from cgikit.testing import Answer, Client

from .loading import copied, load

GOOD = {
    "topic": "A question",
    "name": "Zoë <b>",
    "email": "zoe@example.net",
    "message": "One.\n.\nFrom here on: <i>",
}


@pytest.fixture
def contact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    return load("contact")


@pytest.fixture
def client(contact: Any, tmp_path: Path) -> Client:
    store = FileStore(tmp_path / "sessions")
    return Client(contact.contact, sessions=store, limits=Limits(body=100_000))


def send(client: Client, changed: dict[str, str] | None = None, waited: bool = True) -> Answer:
    page = client.get().text
    if waited:
        with client.session_transaction() as session:
            session["contact-begun"] -= 10
    token = next(e["value"] for e in elements(page, "input") if e["name"] == "csrf")
    return client.post(data={**GOOD, **(changed or {}), "csrf": token})


def kept(tmp_path: Path) -> list[EmailMessage]:
    files = sorted((tmp_path / "data").glob("contact-mail/new/*"))
    return [email.message_from_bytes(f.read_bytes(), policy=email.policy.default) for f in files]


def test_a_mail_goes_to_whom_the_topic_is_for(client: Client, tmp_path: Path) -> None:
    assert send(client).status == 303
    [mail] = kept(tmp_path)
    assert mail["To"] == "hello@example.org"
    assert mail["From"] == "www@example.org"
    assert mail["Reply-To"] == "zoe@example.net"
    assert mail["Subject"] == "A question: Zoë <b>"
    assert mail.get_content().endswith("writes:\n\nOne.\n.\nFrom here on: <i>\n")
    assert "Thank you" in client.get().text
    assert "Thank you" not in client.get().text


@pytest.mark.parametrize("field", ["to", "recipient", "cc", "bcc", "copy", "subject"])
def test_no_field_of_the_form_is_an_address_to_send_to(
    client: Client, tmp_path: Path, field: str
) -> None:
    send(client, {field: "victim@example.com"})
    [mail] = kept(tmp_path)
    assert "victim" not in mail.as_string()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"topic": "victim@example.com"}, "Please choose"),
        ({"topic": ""}, "Please"),
        ({"name": "Ada\r\nBcc: victim@example.com"}, "in one line"),
        ({"name": "Ada\nBcc: victim@example.com"}, "in one line"),
        ({"email": "ada@example.org\r\nBcc: victim@example.com"}, "in one line"),
        ({"email": "ada@example.org, victim@example.com"}, "e-mail address"),
        ({"message": "x" * 5001}, "5000"),
        ({"message": "http://a https://b HTTP://c"}, "no more than 2 links"),
        ({"message": " "}, "fill in"),
    ],
)
def test_a_mistake_is_said_and_nothing_sent(
    client: Client, tmp_path: Path, changed: dict[str, str], said: str
) -> None:
    answer = send(client, changed)
    assert answer.status == 422
    assert 'role="alert"' in answer.text
    assert said.lower() in answer.text.partition("</style>")[2].lower()
    assert kept(tmp_path) == []


def test_a_referer_opens_nothing(client: Client, tmp_path: Path) -> None:
    """FormMail believed it (CVE-2002-2109); only the token of the form counts here."""
    client.get()
    for headers in ({}, {"Referer": "http://localhost/"}):
        assert client.post(data=GOOD, headers=headers).status == 403
    assert kept(tmp_path) == []


def test_programs_are_thanked_or_asked_to_wait(
    client: Client, contact: Any, tmp_path: Path
) -> None:
    assert send(client, {"website": "https://watches.example"}).status == 303
    contact.LEAST_SECONDS = 3600  # however slow the machine
    answer = send(client, waited=False)
    assert answer.status == 422
    assert "That was quick" in answer.text
    assert "Zoë &lt;b&gt;" in answer.text
    assert kept(tmp_path) == []


def test_nobody_sends_without_end(client: Client, contact: Any, tmp_path: Path) -> None:
    letters = ({"message": f"{n}: {GOOD['message']}"} for n in range(9))
    contact.MOST_EACH = 2
    assert [send(client, next(letters)).status for _ in range(3)] == [303, 303, 429]
    contact.MOST_EACH, contact.MOST_ALL = 9, 3
    assert [send(client, next(letters)).status for _ in range(2)] == [303, 429]
    answer = send(client, next(letters))
    assert "Try again in 60 minutes" in answer.text
    assert "From here on" in answer.text
    assert len(kept(tmp_path)) == 3


def test_too_much_is_refused_unread(client: Client, tmp_path: Path) -> None:
    assert send(client, {"message": "x" * 120_000}).status == 413
    assert kept(tmp_path) == []


def program(directory: Path, body: str) -> str:
    path = directory / "sendmail"
    path.write_text(f"#!{sys.executable}\nimport json, pathlib, sys\n{body}\n")
    path.chmod(0o755)
    return str(path)


def test_sendmail_gets_the_mail_and_its_recipient(
    client: Client, contact: Any, tmp_path: Path
) -> None:
    contact.SENDMAIL = program(
        tmp_path,
        "pathlib.Path('sent').write_bytes(b' '.join(a.encode() for a in sys.argv[1:])"
        " + b'\\n' + sys.stdin.buffer.read())",
    )
    assert send(client, {"topic": "Something does not work"}).status == 303
    arguments, _, mail = (tmp_path / "sent").read_bytes().partition(b"\n")
    assert arguments == b"-oi -f www@example.org webmaster@example.org"
    assert b"To: webmaster@example.org\n" in mail
    assert kept(tmp_path) == []


@pytest.mark.parametrize("fails", ["sys.exit(75)", None])
def test_what_cannot_be_sent_is_not_lost(
    client: Client, contact: Any, tmp_path: Path, fails: str | None, capsys: Any
) -> None:
    contact.SENDMAIL = program(tmp_path, fails) if fails else str(tmp_path / "none")
    answer = send(client)
    assert answer.status == 503
    assert "could not be sent" in answer.text
    assert "From here on" in answer.text
    logged = capsys.readouterr().err
    assert "the mail was not sent" in logged
    assert "zoe@example.net" not in logged


@pytest.mark.parametrize(
    "address", ["a..b@example.org", ".a@example.org", "a@b", "o'x+y@c.example"]
)
def test_every_address_that_a_browser_takes_makes_a_mail(
    client: Client, tmp_path: Path, address: str
) -> None:
    assert send(client, {"email": address}).status == 303
    [file] = (tmp_path / "data").glob("contact-mail/new/*")
    assert f"\nReply-To: {address}\n".encode() in file.read_bytes()


@pytest.mark.parametrize("address", ["=?utf-8?b?w6k=?=@x.org", "=?utf-8?q?a=40b=2C?=@x.org"])
def test_an_address_is_the_same_in_the_mail(contact: Any, tmp_path: Path, address: str) -> None:
    """`EmailMessage` decodes =?…?= in an address; what came out could not even be written."""
    errors: dict[str, str] = {}
    assert contact.send({**GOOD, "email": address}, errors) == 422
    assert "another one" in errors["email"]
    assert kept(tmp_path) == []


def test_a_second_click_sends_nothing_and_is_thanked(client: Client, tmp_path: Path) -> None:
    page = client.get().text
    with client.session_transaction() as session:
        session["contact-begun"] -= 10
    token = next(e["value"] for e in elements(page, "input") if e["name"] == "csrf")
    for _ in range(2):
        assert client.post(data={**GOOD, "csrf": token}).status == 303
    assert len(kept(tmp_path)) == 1
    assert send(client, {"message": "Another letter"}).status == 303
    assert len(kept(tmp_path)) == 2


def test_a_letter_outlives_the_session(client: Client, tmp_path: Path) -> None:
    client.cookies.clear()
    answer = client.post(data={**GOOD, "csrf": "of a session that has ended"})
    assert answer.status == 403
    assert "From here on" in answer.text
    assert kept(tmp_path) == []
    with client.session_transaction() as session:
        session["contact-begun"] -= 10
    token = next(e["value"] for e in elements(answer.text, "input") if e["name"] == "csrf")
    assert client.post(data={**GOOD, "csrf": token}).status == 303
    assert len(kept(tmp_path)) == 1


def test_a_clock_that_was_set_back_refuses_nobody(client: Client) -> None:
    client.get()
    with client.session_transaction() as session:
        session["contact-begun"] += 3600
    assert send(client).status == 303


def test_one_customer_has_one_count(client: Client, contact: Any) -> None:
    contact.MOST_EACH = 1
    for address, status in (("2001:db8::1", 303), ("2001:db8::2", 429), ("2001:db8:0:1::", 303)):
        client.environ["REMOTE_ADDR"] = address
        assert send(client, {"message": f"From {address}"}).status == status


def test_a_letter_may_have_as_many_emoji_as_characters(tmp_path: Path) -> None:
    script = copied("contact", tmp_path)
    client = Client(script, sessions=FileStore(tmp_path / "data" / "sessions"))
    text = "HTTP is fine; httpd, http2. " + "\N{GRINNING FACE}" * 4_900
    assert send(client, {"message": text}).status == 303
    written = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o077 for path in written} == {0}
    assert len(kept(tmp_path)) == 1
