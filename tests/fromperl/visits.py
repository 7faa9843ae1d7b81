"""What is asked of each script, in both versions: by people, and by some who are up to no good."""

import email
import email.policy
import hashlib
import json
import re
from typing import Any

from .visitor import Visitor

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8
SVG = ("image/svg+xml", b"<svg/>")


def counter(to: Visitor) -> None:
    """A visitor counts once, another one too."""
    to.look("first")
    to.look("again")
    to.look("digits", "?digits=3")
    to.another().look("another")
    to.note("file", int((to.data / "count.dat").read_text()))


def guestbook(to: Visitor) -> None:
    """Entries, mistakes that keep what was typed, markup, tabs and line ends."""
    to.look("empty")
    to.send("nothing", name="", home="", text=" ")
    to.send("no text", name='Ada "A." <Lovelace>', home="javascript:alert(1)", text="")
    to.send("signed", home="https://example.org/?a=1&b=2", text="One\ttab\nand <b>two</b> lines")
    for number in range(11):
        to.send(f"more {number}", name=f"Grüße {number}", text="Hallo")
    to.look("first page")
    lines = (to.data / "guestbook.txt").read_text().splitlines()
    to.note("file", [line.split("\t")[1:] for line in lines])


def poll(to: Visitor) -> None:
    """A vote counts once, a choice that is not there never."""
    to.look("ballot")
    to.send("no choice")
    to.post("no such choice", choice="COBOL")
    to.look("ballot again")
    to.send("vote", choice="C & C++")
    to.post("second vote", choice="Ruby")
    other = to.another()
    other.look("other ballot")
    other.send("other vote", choice="Perl")
    to.look("result")
    to.note("votes", votes(to))


def votes(to: Visitor) -> dict[str, int]:
    """The votes by choice, as each version keeps them."""
    if to.ending == "py":
        found: dict[str, int] = json.loads((to.data / "votes.json").read_text())
        return found
    lines = [line.split("\t") for line in (to.data / "poll.txt").read_text().splitlines()]
    return {choice: int(votes) for votes, choice in lines}


def upload(to: Visitor) -> None:
    """Pictures, whose names are not the visitor's to choose freely."""
    to.look("empty")
    to.send("no file", name="x")
    to.send("no picture", files={"picture": ("a.svg", *SVG)})
    to.send("picture", name="", files={"picture": ("C:\\temp\\my photo.jpeg", "image/png", PNG)})
    to.send("named", files={"picture": ("a.gif", "image/gif", b"GIF89a")}, name="../../etc/passwd")
    to.send("again", files={"picture": ("passwd", "image/gif", b"GIF87a")}, name="passwd")
    # mod_cgid loses the answer of a script that does not read the body
    if to.server.name == "serve":
        to.send("too large", files={"picture": ("b.png", "image/png", bytes(300_000))})
    to.look("all")
    kept = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in to.data.glob("pictures/*")}
    to.note("files", kept)


def search(to: Visitor) -> None:
    """Words, all or any, in either case; and what would be a pattern, or markup."""
    to.look("form")
    to.send("one word", words="python")
    to.send("two", words="Python snake")
    to.send("none has both", words="camel oyster")
    to.send("any", words="camel oyster", match="any")
    to.send("case", words="PYTHON", case="1")
    to.send("case off again", case=[])
    to.send("other letters", words="café")
    to.send("pattern", words="p.thon .*")
    to.send("markup", words='"><b>')
    to.send("no words", words="  ")


def login(to: Visitor) -> None:
    """A wrong password, a right one, what it opens, and the way out."""
    to.look("form")
    to.send("wrong", name="ada", password="open")
    to.send("nobody", name="<i>", password="open sesame")
    to.send("right", name="ada", password="open sesame")
    to.look("again")
    to.another().look("another visitor")
    to.send("out", button="Log out")
    to.look("out again")


def cart(to: Visitor) -> None:
    """A cart that is filled, changed, ordered, and empty after that."""
    to.look("empty")
    to.send("order nothing", form=3, button="Order", address="Main Street 1")
    to.send("add", form=0)
    to.send("add one more", form=0)
    to.send("add another", form=2)
    to.post("no such thing", do="Add", number="104")
    to.look("full")
    to.send("change", form=3, button="Change", pieces101="3", pieces103="0")
    to.send("no number", form=3, button="Change", pieces101="many")
    to.another().look("another visitor")
    to.send("no address", form=3, button="Order", address=" ")
    to.send("order", form=3, button="Order", address="Ada <Lovelace>\nSt. James's\tSquare 12")
    to.look("after")
    lines = (to.data / "orders.txt").read_text().splitlines()
    to.note("file", [line.split("\t")[1:] for line in lines])


def board(to: Visitor) -> None:
    """Messages, answers to answers, and a name that is remembered."""
    to.look("empty")
    to.send("nothing", text="Only a text")
    to.send("message", name='Ada "A."', subject="Is <this> on?", text="First line\n\nThird & last")
    to.look("list")
    to.follow("read", 0)
    to.send("answer", text="It is.")
    to.send("answer to the answer", text="Good.\nname: forged")
    other = to.another()
    other.look("other visitor")
    other.post("no such parent", parent="../1", name="Eve", subject="Über", text="x")
    to.look("all")
    to.look("no such message", "?read=../../users")
    kept = {path.name: path.read_text() for path in sorted(to.data.glob("board/*.txt"))}
    to.note("files", {k: re.sub(r"(?m)^time: \d+$", "time", v) for k, v in kept.items()})
    to.note("number", int((to.data / "board" / "number").read_text()))


def formmail(to: Visitor) -> None:
    """Messages, mistakes, and attempts to reach others than the two who are listed."""
    to.look("form")
    to.send("nothing")
    good: dict[str, Any] = {
        "name": "Ada Lovelace",
        "email": "ada@example.org",
        "message": "Grüße,\n.\nFrom Ada",
    }
    to.send("sent", to="support", **good, topics=["Perl", "The web"])
    to.send("copy", **good, subject="Hello", copy="on")
    to.send("injected name", **{**good, "name": "Ada\nBcc: all@example.net"})
    to.send("injected subject", **good, subject="Hi\n\nBuy\nTo: all@example.net")
    to.send("injected address", **{**good, "email": "ada@example.org\nBcc: x@example.net"})
    to.send("two addresses", **{**good, "email": "a@example.org,b@example.org"})
    to.post("another recipient", to="all@example.net", **good)
    mails = [path.read_bytes().partition(b"\n") for path in (to.data / "mail").iterdir()]
    to.note("mail", sorted(read(message, words) for words, _, message in mails))


def read(message: bytes, words: bytes) -> str:
    """A mail as its reader sees it, and the arguments of sendmail."""
    mail = email.message_from_bytes(message, policy=email.policy.default)
    shown = ("From", "To", "Cc", "Bcc", "Reply-To", "Subject")
    head = [f"{name}: {mail[name]}" for name in shown if mail[name]]
    body = mail.get_content().replace("\r\n", "\n").rstrip()
    return "\n".join([words.decode(), *head, "", body])


def push(to: Visitor) -> None:
    """Each picture in a part of its own."""
    answer = to.ask("GET", to.script + "?from=2&delay=0", b"", {})
    head = f"Content-Type: multipart/mixed; boundary={answer.headers.get_param('boundary')}\n\n"
    whole = email.message_from_bytes(head.encode() + answer.body)
    parts = [part for part in whole.walk() if not part.is_multipart()]
    pictures = [(part.get_content_type(), str(part.get_payload()).strip()) for part in parts]
    to.note("pushed", [answer.status, answer.headers.get_content_type(), pictures])
