"""The photo gallery: photos, the log-in, adding and removing."""

import json
import struct
import zlib
from pathlib import Path

from selenium.webdriver.support.wait import WebDriverWait

from gallery.visitor import LONG, Visitor, at, own

SHOWN = [
    ("Low water", (122, 158, 180), (214, 196, 160)),
    ("The harbour at six", (232, 170, 120), (60, 80, 110)),
    ("Meadow, May", (150, 200, 235), (96, 150, 80)),
    ("First snow", (190, 200, 215), (245, 247, 250)),
    ("Clear night", (20, 28, 60), (40, 50, 70)),
    ("Autumn, behind the mill", (200, 210, 220), (150, 90, 50)),
    ("The lake, from the old bridge", (110, 150, 200), (40, 90, 120)),
    ("Wheat", (140, 190, 240), (220, 190, 90)),
]
OLDER = [(LONG[:120], (200, 210, 220), (120, 100, 90))]


def png(above: tuple[int, int, int], below: tuple[int, int, int]) -> bytes:
    """A landscape: a sky that gets lighter, and a land that gets darker."""
    wide, tall = 240, 180
    rows = b""
    for y in range(tall):
        colour, shade = (above, 1 + y / 600) if y < 110 else (below, 1.3 - y / 400)
        pixel = bytes(min(255, int(part * shade)) for part in colour)
        rows += b"\0" + pixel * wide

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", wide, tall, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def prepare(data: Path) -> None:
    (data / "photos").mkdir()
    kept = {}
    for number, (title, above, below) in enumerate(reversed(SHOWN + OLDER)):
        key = f"{number:016x}"
        (data / "photos" / key).write_bytes(png(above, below))
        kept[key] = {"title": title, "type": "image/png", "since": 1_790_000_000}
    (data / "photos.json").write_text(json.dumps(kept))
    own(data / "photos-owner.txt", parallel=5)


def shown(visitor: Visitor) -> None:
    """The first page, with all its photos, which come when they are wanted."""
    visitor.opens("photos.py")
    driver = visitor.browser.driver
    driver.execute_script("for (const image of document.images) image.loading = 'eager'")
    arrived = "return [...document.images].every(image => image.complete && image.naturalWidth)"
    WebDriverWait(driver, 30).until(lambda driver: driver.execute_script(arrived))


def log_in(visitor: Visitor, password: str) -> None:
    visitor.opens("photos.py/owner")
    visitor.sends(password=password)
    (visitor.data / "photos-guesses").unlink()  # each run of a scene is the first


def nothing_chosen(visitor: Visitor) -> None:
    log_in(visitor, "open sesame")
    visitor.sends()


SCENES = {
    "": shown,
    "older": at("photos.py?page=2"),
    "log-in": at("photos.py/owner"),
    "wrong-password": lambda visitor: log_in(visitor, "guessed"),
    "owner": lambda visitor: log_in(visitor, "open sesame"),
    "nothing-chosen": nothing_chosen,
}
