"""The guestbook: entries, a form with errors, and the owner at work."""

import json
from pathlib import Path

from gallery.visitor import LONG, Visitor, at, own

ENTRIES = [
    ("Grace", "", "Found it! The moth is in the log book now."),
    ("Tim", "https://www.example.org/", "I remember when all of this was one server under a desk."),
    ("Zoë & Söhne", "", "Greetings from Köln.\u2028We had a counter too: it said 000001 for a year."),
    ("Ada", "", "What a handsome page. I came by way of the hit counter, and stayed for the poll."),
]  # fmt: skip


def lines() -> list[str]:
    at_first = 1_790_000_000
    older = [(LONG[:60], f"https://example.org/{LONG[:100]}", LONG)] * 8
    return [
        f"{at_first + 9_000 * number}\t{name}\t{home}\t{text}"
        for number, (name, home, text) in enumerate([*older, *ENTRIES])
    ]


def prepare(data: Path) -> None:
    (data / "guestbook.txt").write_text("".join(f"{line}\n" for line in lines()))
    waiting = {"a1": lines()[-1].replace("Ada", "Charles"), "b2": lines()[0]}
    (data / "guestbook-waiting.json").write_text(json.dumps(waiting))
    own(data / "guestbook-owner.txt")


def wrong(visitor: Visitor) -> None:
    visitor.opens("guestbook.py")
    visitor.sends(name=LONG, home="nowhere", text="")


def wrong_password(visitor: Visitor) -> None:
    visitor.opens("guestbook.py/owner")
    visitor.sends(password="guessed")
    (visitor.data / "guestbook-guesses").unlink()  # each run of a scene is the first


def owner(visitor: Visitor) -> None:
    visitor.opens("guestbook.py/owner")
    visitor.sends(password="open sesame")


SCENES = {
    "": at("guestbook.py"),
    "older": at("guestbook.py?page=2"),
    "wrong": wrong,
    "log-in": at("guestbook.py/owner"),
    "wrong-password": wrong_password,
    "owner": owner,
}
