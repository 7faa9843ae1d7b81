"""The members' page: log-in, errors, registering, and inside."""

import hashlib
import json
from pathlib import Path

from gallery.visitor import LONG, Visitor, at

PASSWORD = "a moth in the relay"


def prepare(data: Path) -> None:
    salt = "00" * 16
    key = hashlib.scrypt(PASSWORD.encode(), salt=bytes.fromhex(salt), n=2**14, r=8, p=5)
    accounts = {"grace": {"password": f"{salt}:{key.hex()}", "since": 1_790_000_000}}
    (data / "members.json").write_text(json.dumps(accounts))


def wrong(visitor: Visitor) -> None:
    visitor.opens("members.py")
    visitor.sends(name="grace", password="guessed")
    (visitor.data / "members-guesses").unlink()  # each run of a scene is the first


def not_registered(visitor: Visitor) -> None:
    visitor.opens("members.py/register")
    visitor.sends(name=f"- {LONG}"[:30], new="short")


def inside(visitor: Visitor) -> None:
    visitor.opens("members.py")
    visitor.sends(name="Grace", password=PASSWORD)
    (visitor.data / "members-guesses").unlink()


def change(visitor: Visitor) -> None:
    inside(visitor)
    visitor.goes_to("members.py/password")
    visitor.sends(password="", new="short")


SCENES = {
    "": at("members.py"),
    "wrong": wrong,
    "register": not_registered,
    "inside": inside,
    "password": change,
}
