"""The search: words that are found, and some that are not."""

from pathlib import Path

from gallery.visitor import LONG, at

PAGES = {
    "index.html": ("Our village", "All about the village: the mill, the bakery, the old bridge."),
    "mill.html": ("The mill", "The mill was built in 1788 & ground flour for us until 1961."),
    "history/bridge.html": (
        "The old bridge",
        "The flood of 1845 took it, and the mill's wheel too.",
    ),
    "long.html": (LONG, f"A mill with a name: {LONG}"),
}


def prepare(data: Path) -> None:
    for path, (title, text) in PAGES.items():
        page = data / "pages" / path
        page.parent.mkdir(parents=True, exist_ok=True)
        text = text.replace("&", "&amp;")
        page.write_text(f"<!DOCTYPE html><title>{title}</title><h1>{title}</h1><p>{text}</p>")


SCENES = {
    "": at("search.py?words=the+mill"),
    "empty": at("search.py"),
    "nothing": at("search.py?words=lighthouse"),
    "wrong": at(f"search.py?words={LONG}"),
}
