"""The poll: the ballot, a vote without a choice, and the result."""

import json
from pathlib import Path

from gallery.visitor import Visitor, at


def prepare(data: Path) -> None:
    votes = {"mod_perl": 41, "FastCGI": 27, "PHP": 63, "Servlets": 9, "None: I waited": 35}
    (data / "votes.json").write_text(json.dumps(votes))


def nothing_chosen(visitor: Visitor) -> None:
    visitor.opens("poll.py")
    visitor.sends()


def voted(visitor: Visitor) -> None:
    visitor.opens("poll.py")
    visitor.clicks("[value=FastCGI]")
    visitor.sends()


SCENES = {
    "": voted,
    "ballot": at("poll.py"),
    "nothing-chosen": nothing_chosen,
    "result": at("poll.py?result"),
}
