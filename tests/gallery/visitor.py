"""Somebody with a browser, in the gallery: what the scenes are played by."""

import hashlib
import importlib
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from browser.chromium import Browser
from selenium.webdriver.common.by import By
from serving import serve

from .style import SCRIPTS, names

LONG = "a-name-without-an-end-" * 12


@dataclass(frozen=True)
class Visitor:
    """A browser at the gallery. `.data` is the directory of the scripts' data, `.place` one for files
    of the visitor.
    """

    browser: Browser
    url: str
    data: Path
    place: Path

    def opens(self, path: str) -> None:
        """Come for the first time: without cookies."""
        self.browser.open(self.url + path.partition("?")[0])
        self.browser.driver.delete_all_cookies()
        self.goes_to(path)

    def goes_to(self, path: str) -> None:
        """Open another page, as the same visitor."""
        self.browser.open(self.url + path)

    def sends(self, form: str = "form", **values: str) -> None:
        """Fill in the form that a CSS selector finds, whatever the browser would refuse; send it."""
        self.browser.driver.execute_script(
            "for (const form of document.forms) form.noValidate = true"
        )
        self.browser.fill(form, **values)
        self.browser.submit(form)

    def clicks(self, selector: str) -> None:
        """Click on what a CSS selector finds; no new page is waited for."""
        self.browser.driver.find_element(By.CSS_SELECTOR, selector).click()


Scene = Callable[[Visitor], None]


def scenes(name: str) -> Mapping[str, Scene]:
    """The scenes of one script."""
    found: Mapping[str, Scene] = importlib.import_module(f"gallery.scenes.{name}").SCENES
    assert "" in found, f'tests/gallery/scenes/{name}.py has no scene ""'
    return found


@contextmanager
def visiting(browser: Browser, place: Path) -> Iterator[Visitor]:
    """Serve a copy of the gallery, with the data that the scenes need, to a visitor."""
    directory = place / "cgi-bin"
    shutil.copytree(SCRIPTS, directory, ignore=shutil.ignore_patterns("data", "__pycache__"))
    (directory / "data").mkdir()
    for name in names():
        module = importlib.import_module(f"gallery.scenes.{name}")
        getattr(module, "prepare", lambda data: None)(directory / "data")
    with serve(directory) as server:
        yield Visitor(browser, server.url, directory / "data", place)


def own(file: Path, parallel: int = 1) -> None:
    """Make somebody with the password "open sesame" the owner, in the file of a script; `parallel` is
    the p of its scrypt.
    """
    salt = "00" * 16
    key = hashlib.scrypt(b"open sesame", salt=bytes.fromhex(salt), n=2**14, r=8, p=parallel)
    file.write_text(f"{salt}:{key.hex()}\n")


def at(path: str) -> Scene:
    """A page that is there for everybody."""
    return lambda visitor: visitor.opens(path)
