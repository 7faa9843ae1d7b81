"""Takes pictures of the gallery's scripts: `make gallery`.

    python -m gallery.pictures [--out DIRECTORY] [NAME…]

The one of each script's first page, on a desk and in the light scheme, goes to docs/img/gallery, and
the list itself, if it is named ("gallery"), to docs/img/demo.png. With
--out, all scenes in both sizes and both schemes go to that directory, to be looked at, and none to
docs.
"""

import argparse
import base64
import tempfile
from collections.abc import Iterator
from pathlib import Path

from browser.checkers import screen
from browser.chromium import Browser, chromium

from .style import ROOT, names
from .visitor import scenes, visiting

PICTURES = ROOT / "docs" / "img" / "gallery"
DESK = (1200, 800)
PHONE = (360, 740)
SHOWN = 1_000  # the height of a picture in the docs, at most
LIST = 612  # that of the list: two scripts side by side


def screens(out: Path | None) -> Iterator[tuple[int, int, str]]:
    """The sizes and schemes that pictures are taken in."""
    yield (*DESK, "light")
    if out:
        yield from ((*DESK, "dark"), (*PHONE, "light"), (*PHONE, "dark"))


def shown(name: str) -> Path:
    """The file of a script's picture; that of the list is the README's picture of the demo."""
    return ROOT / "docs" / "img" / "demo.png" if name == "gallery" else PICTURES / f"{name}.png"


def take(browser: Browser, path: Path, most: int) -> None:
    """Write the picture of the page that is open, from its top, at most so many pixels high."""
    tall = browser.driver.execute_script("return document.documentElement.scrollHeight")
    wide = browser.driver.execute_script("return document.documentElement.clientWidth")
    clip = {"x": 0, "y": 0, "width": wide, "height": min(tall, most), "scale": 1}
    taken = browser.driver.execute_cdp_cmd(
        "Page.captureScreenshot", {"format": "png", "clip": clip, "captureBeyondViewport": True}
    )
    path.write_bytes(base64.b64decode(taken["data"]))


def main() -> None:
    """Take the pictures that the command line asks for."""
    parser = argparse.ArgumentParser(description="Take pictures of the scripts of the gallery.")
    parser.add_argument("--out", type=Path, help="all scenes, sizes and schemes, into a directory")
    parser.add_argument("names", nargs="*", help="which scripts (default: all)")
    options = parser.parse_args()
    # The picture of the list would be another one after each new script.
    wanted = options.names or [name for name in names() if options.out or name != "gallery"]
    (options.out or PICTURES).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        (Path(scratch) / "profile").mkdir()
        with (
            chromium(Path(scratch) / "profile") as browser,
            visiting(browser, Path(scratch)) as visitor,
        ):
            for name in wanted:
                for scene, play in (
                    scenes(name).items() if options.out else [("", scenes(name)[""])]
                ):
                    play(visitor)
                    for width, height, scheme in screens(options.out):
                        with screen(browser, width, height, scheme):
                            if options.out:
                                file = f"{name}-{scene or 'first'}-{width}-{scheme}.png"
                                take(browser, options.out / file, 2_400)
                            else:
                                take(browser, shown(name), LIST if name == "gallery" else SHOWN)


if __name__ == "__main__":
    main()
