"""The option `--open` of `cgikit serve`: shows a URL in the browser of whoever sits at the terminal."""

import os
import threading
import webbrowser
from collections.abc import Callable

#: Browsers that draw on the terminal from which they are started.
_IN_TERMINAL = {"elinks", "links", "lynx", "w3m", "www-browser"}


def show(url: str, log: Callable[[str], None]) -> None:
    """Ask the browser to show a URL, and return at once. `log` gets a line if that cannot be done.

    $BROWSER names the browser, as for all programs that use Python's `webbrowser`.
    """
    threading.Thread(target=_show, args=(url, log), daemon=True).start()


def _show(url: str, log: Callable[[str], None]) -> None:
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        log(f"No browser was found for --open: visit {url} yourself, or set BROWSER.")
        return
    name = os.path.basename(str(getattr(browser, "name", "")))
    if name in _IN_TERMINAL:
        log(f"--open does not start {name} in this terminal: visit {url} yourself.")
    elif not browser.open(url):
        log(f"The browser could not be started for --open: visit {url} yourself.")
