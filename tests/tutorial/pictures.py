"""Takes the pictures of the tutorial's pages: `make tutorial`.

    python -m tutorial.pictures [--out DIRECTORY] [NAME…]

Each is of a step as `cgikit serve` shows it, in the light scheme.
"""

import argparse
import base64
import json
import struct
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path

from browser.checkers import screen
from browser.chromium import Browser, chromium
from serving import Server, serve

from .book import PASSWORD, copy
from .steps import ROOT, STEPS

PICTURES = ROOT / "docs" / "img" / "tutorial"
DESK, PHONE = (760, 620), (360, 900)
TAKES_OVER = (
    '<script>document.body.innerHTML = "<h1>Closed. Please pay at evil.example</h1>"</script>'
)
PICTURE = "0123456789abcdef0123456789abcdef.png"
BEGAN = 1_790_000_000  # the time of the first entry


def landscape(width: int = 320, height: int = 180) -> bytes:
    """A PNG file: hills below an evening sky."""

    def pixel(x: int, y: int) -> tuple[int, int, int]:
        if y > 130 - 25 * (1 - ((x - 90) / 130) ** 2) or y > 140 - 40 * (
            1 - ((x - 270) / 120) ** 2
        ):
            return (47, 72, 88)
        if (x - 200) ** 2 + (y - 70) ** 2 < 600:
            return (255, 214, 140)
        return (246 - y // 2, 150 + y // 3, 110 + y // 2)

    rows = b"".join(
        b"\0" + bytes(value for x in range(width) for value in pixel(x, y)) for y in range(height)
    )
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )


def line(number: int, name: str, text: str, home: str = "", picture: str = "") -> str:
    """A line of the guestbook."""
    parts = [str(BEGAN + 90_000 * number), name, home, text, *([picture] if picture else [])]
    return "\t".join(parts)


GRACE = line(0, "Grace", "Found it! The moth is in the log book now.", "https://example.org/")
ADA = line(1, "Ada", "What a handsome page.\u2028I came by way of the hit counter.")
TIM = line(2, "Tim", "Greetings from the lake.", picture=PICTURE)
ZOE = line(3, "Zoë", "We had a counter, too: it said 000001 for a year.")


def prepare(name: str, data: Path) -> None:
    """Put into a step's data what its picture shows."""
    lines = {"3-file": [], "6-picture": [GRACE, TIM], "8-deploy": [GRACE, ADA, TIM]}
    shown = lines.get(name, [GRACE, ADA])
    if name not in {"1-form", "2-escape"} and shown:
        (data / "guestbook.txt").write_text("".join(f"{each}\n" for each in shown))
    (data / "guestbook-waiting.json").write_text(json.dumps({"1a": ZOE}))
    (data / "guestbook-pictures").mkdir()
    (data / "guestbook-pictures" / PICTURE).write_bytes(landscape())


def signed(browser: Browser, server: Server) -> None:
    browser.open(f"{server.url}guestbook.py")
    browser.fill("form", name="Ada", text="What a page! I came by way of the hit counter.")
    browser.submit("form")


def taken_over(browser: Browser, server: Server) -> None:
    browser.open(f"{server.url}guestbook.py")
    browser.fill("form", name="Mallory", text=TAKES_OVER)
    browser.driver.find_element("css selector", "form button").click()
    browser.wait(lambda: "Closed" in browser.text)


def escaped(browser: Browser, server: Server) -> None:
    signed(browser, server)
    browser.fill("form", name="Mallory", text=TAKES_OVER)
    browser.submit("form")


def crowded(browser: Browser, server: Server) -> None:
    url = f"{server.url}guestbook.py"
    subprocess.run([sys.executable, STEPS / "crowd.py", url], check=True, capture_output=True)
    browser.open(url)


def wrong(browser: Browser, server: Server) -> None:
    browser.open(f"{server.url}guestbook.py")
    browser.fill("form", name="Zoë", home="my page")
    browser.submit("form")


def owner(browser: Browser, server: Server) -> None:
    browser.open(f"{server.url}guestbook.py/owner")
    browser.fill("form", password=PASSWORD)
    browser.submit("form")


def inspected(browser: Browser, server: Server) -> None:
    browser.open(f"{server.url}guestbook.py")
    browser.fill("form", name="Ada", text="Hello, world!")
    browser.submit("form")
    browser.open(f"{server.url}_cgikit/")
    rows = browser.driver.find_elements("css selector", ".rows a")
    browser.open(next(str(row.get_attribute("href")) for row in rows if "POST" in row.text))


def first(browser: Browser, server: Server) -> None:
    browser.open(f"{server.url}guestbook.py")


def book(browser: Browser, server: Server) -> None:
    """The entries, without the form above them."""
    first(browser, server)
    browser.driver.execute_script("document.querySelector('section').remove()")


#: By the name of the picture: the step, what the visitor does, and the size.
SCENES: dict[str, tuple[str, Callable[[Browser, Server], None], tuple[int, int]]] = {
    "1-form": ("1-form", signed, DESK),
    "1-form-taken-over": ("1-form", taken_over, (760, 200)),
    "2-escape": ("2-escape", escaped, DESK),
    "3-file": ("3-file", crowded, DESK),
    "4-pages": ("4-pages", wrong, (760, 900)),
    "5-log-in": ("5-log-in", owner, (760, 820)),
    "6-picture": ("6-picture", book, (760, 560)),
    "7-test": ("7-test", inspected, (760, 760)),
    "8-deploy": ("8-deploy", first, (760, 1_150)),
    "8-deploy-phone": ("8-deploy", first, PHONE),
}


def take(browser: Browser, path: Path, most: int) -> None:
    """Write the picture of the page that is open, from its top, at most so many pixels high."""
    tall = browser.driver.execute_script("return document.body.getBoundingClientRect().bottom")
    wide = browser.driver.execute_script("return document.documentElement.clientWidth")
    clip = {"x": 0, "y": 0, "width": wide, "height": min(tall + 8, most), "scale": 1}
    taken = browser.driver.execute_cdp_cmd(
        "Page.captureScreenshot", {"format": "png", "clip": clip, "captureBeyondViewport": True}
    )
    path.write_bytes(base64.b64decode(taken["data"]))


def main() -> None:
    """Take the pictures that the command line asks for."""
    parser = argparse.ArgumentParser(description="Take the pictures of the tutorial.")
    parser.add_argument("--out", type=Path, default=PICTURES, help="where they go (default: docs)")
    parser.add_argument("names", nargs="*", default=list(SCENES), help="which ones (default: all)")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        (Path(scratch) / "profile").mkdir()
        with chromium(Path(scratch) / "profile") as browser:
            browser.driver.execute_cdp_cmd("Emulation.setScrollbarsHidden", {"hidden": True})
            for name in options.names:
                step, play, (width, height) = SCENES[name]
                script = copy(step, Path(scratch) / name)
                prepare(step, script.parent / "data")
                with (
                    serve(script.parent) as server,
                    screen(browser, width, min(height, 700), "light"),
                ):
                    browser.open(server.url)
                    browser.driver.delete_all_cookies()
                    play(browser, server)
                    take(browser, options.out / f"{name}.png", height)


if __name__ == "__main__":
    main()
