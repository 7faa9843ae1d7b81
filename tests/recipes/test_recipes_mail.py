"""Recipes that send mail, attacked as a visitor would: contact form, account by mail, the queue."""

import base64
import email
import email.policy
import json
import os
import re
import socketserver
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from requirement import need

from cgikit.testing import Client
from recipes.recipe import mailer, put, run_program, token, visitor

SENDMAIL = "/usr/sbin/sendmail"


def mails(folder: Path) -> list[tuple[list[str], EmailMessage]]:
    """What the program in place of sendmail was given: its arguments, and the mail."""
    found = []
    for path in (folder / "mails").iterdir():
        words, text = json.loads(path.read_text())
        message = email.message_from_string(text, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        found.append((words, message))
    return found


# --- the contact form --------------------------------------------------------------------------

GOOD = {"name": "Zoë", "email": "zoe@example.net", "message": "Hello.\n\nMay I come to tea?"}
LINE = ["-oi", "-f", "website@example.org", "--", "office@example.org"]


def contact(folder: Path, status: int = 0) -> Client:
    return visitor(put(folder, "contact.py", {SENDMAIL: str(mailer(folder, status))}))


def test_a_message_goes_to_the_office_and_nowhere_else(tmp_path: Path) -> None:
    client = contact(tmp_path)
    answer = client.post(data={**GOOD, "csrf": token(client), "to": "eve@example.net"})
    assert (answer.status, answer.location) == (303, "/cgi-bin/contact.py")
    ((words, mail),) = mails(tmp_path)
    assert words == LINE
    assert (mail["To"], mail["Reply-To"]) == ("office@example.org", "zoe@example.net")
    assert mail["Subject"] == "Website: Zoë"
    assert mail.get_content().strip() == GOOD["message"]
    assert "on its way" in client.get().text
    assert "on its way" not in client.get().text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Ada\r\nBcc: eve@example.net"),
        ("name", "Ada\nBcc: eve@example.net"),
        ("name", "Ada\rBcc: eve@example.net"),
        ("email", "ada@example.org\nBcc: eve@example.net"),
        ("email", "ada@example.org, eve@example.net"),
        ("email", "Eve <eve@example.net>"),
        ("name", "x" * 81),
        ("message", "x" * 5001),
        ("message", "bell\x07"),
    ],
)
def test_what_would_be_another_header_or_recipient_is_not_sent(
    tmp_path: Path, field: str, value: str
) -> None:
    client = contact(tmp_path)
    answer = client.post(data={**GOOD, field: value, "csrf": token(client)})
    assert answer.status == 200
    assert 'aria-invalid="true"' in answer.text
    assert mails(tmp_path) == []


def test_line_separators_and_option_like_addresses_stay_data(tmp_path: Path) -> None:
    client = contact(tmp_path)
    sly = {"name": "Ada\u2028Bcc: eve@example.net", "email": "-oQtmp@example.net"}
    client.post(data={**GOOD, **sly, "csrf": token(client)})
    for words, mail in mails(tmp_path):
        assert words == LINE
        assert mail["Bcc"] is None
        assert mail["To"] == "office@example.org"


DECODED = [
    "=?utf-8?b?w6k=?=@x.org",
    "=?utf-8?q?eve=40evil.example=2C?=@x.org",
    "=?utf-8?q?a?=@x.org",
]


@pytest.mark.parametrize("address", DECODED)
def test_an_address_that_would_become_another_gets_no_mail(tmp_path: Path, address: str) -> None:
    client = contact(tmp_path)
    form = {**GOOD, "email": address, "csrf": token(client)}
    assert client.post(data=form).status in (200, 422)
    client = visitor(put(tmp_path, "invite.py"))
    assert client.post(data={"email": address, "csrf": token(client)}).status in (200, 422)
    assert mails(tmp_path) == []
    assert not (tmp_path / "data" / "outbox").exists()


def test_a_message_of_the_longest_letters_is_sent(tmp_path: Path) -> None:
    client = contact(tmp_path)
    form = {**GOOD, "message": "\N{HOT BEVERAGE}" * 2500 + "\N{BENTO BOX}" * 2500}
    assert client.post(data={**form, "csrf": token(client)}).status == 303
    ((_, mail),) = mails(tmp_path)
    assert mail.get_content().strip() == form["message"]


def test_a_second_click_sends_no_second_mail(tmp_path: Path) -> None:
    client = contact(tmp_path)
    form = {**GOOD, "csrf": token(client)}
    assert [client.post(data=form).status for _ in range(2)] == [303, 303]
    assert len(mails(tmp_path)) == 1
    client.post(data={**form, "message": "And one more thing"})
    assert len(mails(tmp_path)) == 2


def test_a_flood_ends_and_other_visitors_can_still_write(tmp_path: Path) -> None:
    client = contact(tmp_path)
    form = {**GOOD, "csrf": token(client)}
    told = [client.post(data={**form, "message": f"{n}"}).status for n in range(7)]
    assert told == [303] * 5 + [429] * 2
    other = visitor(tmp_path / "contact.py", "192.0.2.8")
    assert other.post(data={**GOOD, "csrf": token(other)}).status == 303
    assert len(mails(tmp_path)) == 6


def test_a_customer_with_many_addresses_is_one(tmp_path: Path) -> None:
    contact(tmp_path)
    told = []
    for address in (
        *(f"2001:db8:0:1::{n}" for n in range(6)),
        "2001:db8:0:2::1",
        *["::ffff:192.0.2.7"] * 5,
        "192.0.2.7",
        "::ffff:192.0.2.8",
        "fe80::1%eth0",
        "unix:",
        "",
    ):
        client = visitor(tmp_path / "contact.py", address)
        told.append(client.post(data={**GOOD, "csrf": token(client)}).status)
    assert told == [303] * 5 + [429, 303] + [303] * 5 + [429] + [303] * 4


def test_no_message_without_the_token_and_none_that_is_huge(tmp_path: Path) -> None:
    client = contact(tmp_path)
    own = token(client)
    assert client.post(data=GOOD).status == 403
    assert client.post(data={**GOOD, "csrf": "guess"}).status == 403
    assert visitor(tmp_path / "contact.py").post(data={**GOOD, "csrf": own}).status == 403
    assert client.post(data={**GOOD, "csrf": own, "message": "x" * 110_000}).status == 413
    assert mails(tmp_path) == []


def test_a_mail_server_that_is_down_is_no_success(tmp_path: Path) -> None:
    client = contact(tmp_path, status=75)
    client.raise_errors = False
    form = {**GOOD, "csrf": token(client)}
    assert client.post(data=form).status == 500
    assert "on its way" not in client.get().text
    mailer(tmp_path)
    assert client.post(data=form).status == 303  # the same message again is no second click
    assert len(mails(tmp_path)) == 2


# --- an account by mail ------------------------------------------------------------------------


def account(folder: Path) -> tuple[Client, Path]:
    put(folder, "accounts.py")
    members = put(folder, "members.py")
    script = put(folder, "account.py", {SENDMAIL: str(mailer(folder))})
    (folder / "data").mkdir()
    (folder / "data" / "accounts.json").write_text("{}")
    (folder / "data" / "keys").write_text("k" * 64 + "\n")
    return visitor(script), members


def link_for(client: Client, address: str, folder: Path) -> str:
    """Ask for a link; the query of the one that came by mail."""
    before = set(os.listdir(folder / "mails"))
    assert client.post(data={"email": address, "csrf": token(client)}).status == 200
    (new,) = set(os.listdir(folder / "mails")) - before
    words, text = json.loads((folder / "mails" / new).read_text())
    assert words[-2:] == ["--", address]
    mail = email.message_from_string(text, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    (link,) = re.findall(r"https://example\.org/cgi-bin/account\.py\?\S+", mail.get_content())
    return "?" + urlsplit(link).query


def test_the_link_makes_an_account_once(tmp_path: Path) -> None:
    client, members = account(tmp_path)
    first = link_for(client, "ada@example.org", tmp_path)
    second = link_for(client, "ada@example.org", tmp_path)
    assert client.get(first).status == 200  # a scanner looks at it
    assert json.loads((tmp_path / "data" / "accounts.json").read_text()) == {}
    form = {"password": "a long pass phrase", "csrf": token(client, first)}
    assert "Saved" in client.post(first, data=form).text
    for used in (first, second):
        assert client.get(used).status == 410
        assert client.post(used, data=form).status == 410
    member = visitor(members)
    form = {"name": "ada@example.org", "password": "a long pass phrase", "csrf": token(member)}
    assert member.post(data=form).status == 303
    assert "Hello, ada@example.org" in member.get().text

    another = visitor(members)
    form |= {"name": "Ada@Example.org", "csrf": token(another)}
    assert another.post(data=form).status == 303

    # a forgotten password: the new one ends the session of whoever had the old one
    link = link_for(client, "ADA@example.org".lower(), tmp_path)
    client.post(link, data={"password": "another long phrase", "csrf": token(client, link)})
    assert "Hello" not in member.get().text
    assert "Hello" not in another.get().text


def test_an_address_that_is_blocked_uses_up_no_links_of_others(tmp_path: Path) -> None:
    client, _ = account(tmp_path)
    put(tmp_path, "account.py", {SENDMAIL: str(tmp_path / "sendmail"), "addr, 20)": "addr, 1)"})
    own = token(client)
    told = [
        client.post(data={"email": f"{name}@example.org", "csrf": own}).status
        for name in ("eve", "ada", "ada", "ada")
    ]
    assert told == [200, 429, 429, 429]
    other = visitor(tmp_path / "account.py", "192.0.2.8")
    link_for(other, "ada@example.org", tmp_path)


def test_forged_links_are_refused(tmp_path: Path) -> None:
    client, _ = account(tmp_path)
    link = link_for(client, "ada@example.org", tmp_path)
    key = parse_qs(link[1:])["key"][0]
    version, time, signature, value = key.split(".", 3)
    forged = [
        {"for": "eve@example.org", "key": key},
        {"for": "ada@example.org", "key": f"{version}.{int(time) + 1}.{signature}.{value}"},
        {"for": "ada@example.org", "key": f"{version}.{time}.{signature[:-1]}.{value}"},
        {"for": "eve@example.org", "key": f"{version}.{time}.{signature}.eve%40example.org"},
        {"for": "ada@example.org", "key": ""},
    ]
    for query in forged:
        assert client.get(params=query).status == 410, query
    assert client.get(params={"for": "ada@example.org", "key": key}).status == 200


def test_an_address_gets_three_links_an_hour_and_the_host_header_none(tmp_path: Path) -> None:
    client, _ = account(tmp_path)
    form = {"email": "ada@example.org", "csrf": token(client)}
    told = [client.post(data=form, headers={"Host": "evil.example"}).status for _ in range(4)]
    assert told == [200, 200, 200, 429]
    for _, mail in mails(tmp_path):
        assert "evil.example" not in mail.get_content()


# --- the queue ---------------------------------------------------------------------------------


class SMTPSession(socketserver.StreamRequestHandler):
    """As much of RFC 5321 as smtplib uses. What it says to RCPT is `server.replies`, one by one."""

    server: "SMTPServer"
    has_sender = False  # there was a MAIL, and its mail has not come yet

    def handle(self) -> None:
        self.say("220 test")
        while line := self.rfile.readline().decode().strip():
            verb = line.partition(" ")[0].upper()
            if verb == "RCPT":
                self.say(self.server.replies.pop(0) if self.server.replies else "250 ok")
            elif verb == "EHLO" and self.server.context:
                self.say("250-test\r\n250-STARTTLS\r\n250 AUTH PLAIN")
            elif verb == "STARTTLS" and self.server.context:
                self.say("220 go on")
                try:
                    self.request = self.server.context.wrap_socket(self.request, server_side=True)
                except ssl.SSLError:  # the client does not like the certificate
                    return
                self.setup()
            elif verb == "AUTH":
                self.server.log_ins.append((line, isinstance(self.request, ssl.SSLSocket)))
                self.say("235 ok")
            elif verb == "DATA":
                self.say("354 go on")
                self.has_sender = False
                body = b""
                while (part := self.rfile.readline()) not in (b".\r\n", b""):
                    body += part
                self.server.mails.append(body)
                if self.server.breaks:
                    return  # the connection ends before the mail is acknowledged
                self.say("250 ok")
            else:
                self.say("221 bye" if verb == "QUIT" else self.transaction(verb))

    def transaction(self, verb: str) -> str:
        """What to say to MAIL, RSET and others."""
        if verb == "MAIL" and self.has_sender:
            return "503 nested MAIL command"
        self.has_sender = verb == "MAIL"
        return "250 ok"

    def finish(self) -> None:
        super().finish()
        self.request.close()

    def say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")


class SMTPServer(socketserver.ThreadingTCPServer):
    """A mail server on loopback."""

    daemon_threads = True

    def __init__(self) -> None:
        self.mails: list[bytes] = []
        self.replies: list[str] = []
        self.breaks = False
        self.context: ssl.SSLContext | None = None  # with one, it offers TLS and asks for a log-in
        self.log_ins: list[tuple[str, bool]] = []  # the line, and whether it came over TLS
        super().__init__(("127.0.0.1", 0), SMTPSession)


@contextmanager
def smtp() -> Iterator[SMTPServer]:
    with SMTPServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def invited(folder: Path, *addresses: str) -> None:
    client = visitor(put(folder, "invite.py"))
    for address in addresses:
        assert client.post(data={"email": address, "csrf": token(client)}).status == 303


def sender(folder: Path, port: int) -> Path:
    return put(folder, "send_mail.py", {'"localhost", 25': f'"127.0.0.1", {port}'})


def waiting(folder: Path) -> list[str]:
    return sorted(p.suffix for p in (folder / "data" / "outbox").iterdir())


def test_the_queue_is_sent_once(tmp_path: Path) -> None:
    invited(tmp_path, "ada@example.org", "bob@example.org")
    assert waiting(tmp_path) == [".eml", ".eml"]
    assert (tmp_path / "data" / "outbox").stat().st_mode & 0o777 == 0o700
    with smtp() as server:
        program = sender(tmp_path, server.server_address[1])
        for _ in range(2):
            done = run_program(program)
            assert (done.returncode, done.stderr) == (0, "")
        sent = [email.message_from_bytes(m, policy=email.policy.default) for m in server.mails]
    assert sorted(str(m["To"]) for m in sent) == ["ada@example.org", "bob@example.org"]
    assert all(m["From"] == "website@example.org" and m["Date"] for m in sent)
    assert waiting(tmp_path) == []


def test_later_is_kept_and_never_is_set_aside(tmp_path: Path) -> None:
    invited(tmp_path, "ada@example.org", "bob@example.org", "cyd@example.org")
    with smtp() as server:
        server.replies += ["451 greylisted", "550 no such user", "250 ok"]
        program = sender(tmp_path, server.server_address[1])
        done = run_program(program)
        assert done.returncode == 0
        assert "451" in done.stderr
        assert "550" in done.stderr
        assert waiting(tmp_path) == [".eml", ".refused"]
        run_program(program)
        assert len(server.mails) == 2
    assert waiting(tmp_path) == [".refused"]


def test_a_mail_that_cannot_be_sent_does_not_stop_the_others(tmp_path: Path) -> None:
    """The address in the first has letters that SMTP cannot carry; nobody may read the second."""
    invited(tmp_path, "ada@example.org")
    outbox = tmp_path / "data" / "outbox"
    (outbox / "0.eml").write_bytes(b"To: =?utf-8?b?w6k=?=@example.org\n\nTea.\n")
    (outbox / "1.eml").symlink_to("1.eml")
    with smtp() as server:
        done = run_program(sender(tmp_path, server.server_address[1]))
        assert done.returncode == 0
        assert done.stderr.startswith("0.eml: 500 UnicodeEncodeError(")
        assert "\n1.eml: 500 OSError(" in done.stderr
        (mail,) = server.mails
    assert b"To: ada@example.org" in mail
    assert waiting(tmp_path) == [".refused", ".refused"]


def test_nothing_is_lost_without_a_server_or_when_the_connection_breaks(tmp_path: Path) -> None:
    invited(tmp_path, "ada@example.org")
    with smtp() as server:
        server.breaks = True
        program = sender(tmp_path, server.server_address[1])
        assert run_program(program).returncode == 1
        assert waiting(tmp_path) == [".eml"]
        server.breaks = False
        assert run_program(program).returncode == 0
        ids = {email.message_from_bytes(m)["Message-ID"] for m in server.mails}
        assert (len(server.mails), len(ids)) == (2, 1)
    invited(tmp_path, "bob@example.org")
    done = run_program(program)
    assert "refused" in done.stderr
    assert waiting(tmp_path) == [".eml"]


def test_a_second_run_at_the_same_time_sends_nothing(tmp_path: Path) -> None:
    invited(tmp_path, "ada@example.org")
    with smtp() as server:
        program = sender(tmp_path, server.server_address[1])
        code = (
            "from cgikit import lock\nwith lock('data/send-mail'):\n  print(1, flush=1)\n  input()"
        )
        with subprocess.Popen(
            [sys.executable, "-c", code], cwd=tmp_path,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        ) as holder:  # fmt: skip
            assert holder.stdout is not None
            assert holder.stdout.readline() == "1\n"
            assert run_program(program).returncode == 0
            assert server.mails == []
            holder.communicate("\n")
        assert run_program(program).returncode == 0
        assert len(server.mails) == 1


def certificate(folder: Path) -> Path:
    """A certificate for localhost that nobody has signed, with its key."""
    path = folder / "localhost.pem"
    command = [need("openssl"), "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-days", "2",
               "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
               "-keyout", path, "-out", folder / "certificate.pem"]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    path.write_text(path.read_text() + (folder / "certificate.pem").read_text())
    return path


def test_the_password_goes_to_a_server_with_a_valid_certificate_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    invited(tmp_path, "ada@example.org")
    (tmp_path / "data" / "smtp-password").write_text("t0ps3cr3t\n")
    with smtp() as server:
        server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.context.load_cert_chain(certificate(tmp_path))
        port = server.server_address[1]
        program = put(
            tmp_path, "send_mail.py", {'", 25': f'", {port}', 'FILE = ""': 'FILE = "www"'}
        )
        done = run_program(program)
        assert "CERTIFICATE_VERIFY_FAILED" in done.stderr
        assert (server.log_ins, server.mails, waiting(tmp_path)) == ([], [], [".eml"])
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "localhost.pem"))
        done = run_program(program)
        assert (done.returncode, done.stderr) == (0, "")
        ((line, encrypted),) = server.log_ins
        assert encrypted
        assert base64.b64decode(line.split()[-1]) == b"\0www\0t0ps3cr3t"
        assert len(server.mails) == 1
    assert waiting(tmp_path) == []
