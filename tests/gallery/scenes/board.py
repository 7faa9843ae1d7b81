"""The board: threads, a thread, a form with errors, and the owner at work."""

from pathlib import Path

from gallery.visitor import LONG, Visitor, at, own

MESSAGES = [
    ("", "Rob", "Which server do you run?", "I have inherited a machine with a cgi-bin."),
    ("1", "Mae", "Re: Which server do you run?", "Apache, since 1998.\nNever touch it."),
    ("2", "Rob", "Re: Which server do you run?", "And the scripts are older than I am."),
    ("1", "Zoë & Söhne", "Re: Which server do you run?", "A router. It has a cgi-bin, too!"),
    ("", LONG[:60], LONG[:100], LONG),
    ("", "Ada", "Counters, again", "Mine went back to 000001. Whose lock was that?"),
    ("6", "Grace", "Re: Counters, again", "Nobody's. That is the trouble."),
]


def message(number: int) -> str:
    parent, name, subject, text = MESSAGES[number - 1]
    when = 1_790_000_000 + 9_000 * number
    return f"parent: {parent}\nname: {name}\nsubject: {subject}\ntime: {when}\n\n{text}"


def prepare(data: Path) -> None:
    board = data / "board"
    board.mkdir()
    for number in range(1, len(MESSAGES) + 1):
        (board / f"{number}.txt").write_text(message(number))
    (board / "8.waiting").write_text(message(3))
    (board / "number").write_text("8\n")
    own(data / "board-owner.txt")


def wrong(visitor: Visitor) -> None:
    visitor.opens("board.py/3")
    visitor.sends(name=LONG, subject="", text="")


def wrong_password(visitor: Visitor) -> None:
    visitor.opens("board.py/owner")
    visitor.sends(password="guessed")
    (visitor.data / "board-guesses").unlink()  # each run of a scene is the first


def owner(visitor: Visitor) -> None:
    visitor.opens("board.py/owner")
    visitor.sends(password="open sesame")


SCENES = {
    "": at("board.py"),
    "thread": at("board.py/1"),
    "wrong": wrong,
    "log-in": at("board.py/owner"),
    "wrong-password": wrong_password,
    "owner": owner,
}
