"""The machine: the page of who has logged in, with a log that visitors have written into."""

from pathlib import Path

from selenium.webdriver.support.wait import WebDriverWait

from gallery.visitor import LONG, Visitor, at, own

LINES = [
    'POST /cgi-bin/guestbook.py 303 "Mozilla/5.0"',
    'GET /cgi-bin/counter.py?style=led 200 "Mozilla/5.0"',
    'GET /cgi-bin/poll.py 200 "<script>alert(1)</script>"',
    f"GET /{LONG} 404",
]


def prepare(data: Path) -> None:
    rows = (f"2026-11-27 20:{minute:02d} {line}\n" for minute, line in enumerate(LINES * 4))
    (data / "machine.log").write_text("".join(rows))
    own(data / "machine-owner.txt")


def logged_in(visitor: Visitor) -> None:
    visitor.opens("machine.py")
    visitor.sends(password="open sesame")
    waits(visitor, "return state.textContent.startsWith('New lines')")


def followed(visitor: Visitor) -> None:
    """A line that is written later comes by itself, as text."""
    prepare(visitor.data)
    logged_in(visitor)
    with (visitor.data / "machine.log").open("a") as log:
        log.write("2026-11-27 20:59 GET /new <b>line</b>\n")
    waits(visitor, "return log.textContent.endsWith('GET /new <b>line</b>\\n')")


def wrong_password(visitor: Visitor) -> None:
    visitor.opens("machine.py")
    visitor.sends(password="guessed")
    (visitor.data / "machine-guesses").unlink()  # each run of a scene is the first


def waits(visitor: Visitor, script: str) -> None:
    WebDriverWait(visitor.browser.driver, 30).until(lambda driver: driver.execute_script(script))


SCENES = {
    "": logged_in,
    "followed": followed,
    "log-in": at("machine.py"),
    "wrong-password": wrong_password,
}
