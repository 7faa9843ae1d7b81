"""What judges a page: the Nu Html Checker, axe, and whether a phone has to scroll sideways."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from requirement import need, need_node
from selenium.common.exceptions import WebDriverException
from servers.curl import curl

from .chromium import Browser

#: Width, height and colour scheme: a page is for both kinds of screens, and for both schemes.
PHONE = (360, 740, "light")
DESKTOP = (1280, 800, "dark")


@contextmanager
def screen(browser: Browser, width: int, height: int, scheme: str) -> Iterator[None]:
    """Let the browser be of this size and colour scheme."""
    driver = browser.driver
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    feature = {"name": "prefers-color-scheme", "value": scheme}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    try:
        yield
    finally:
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def source(browser: Browser) -> str:
    """The page that is open as it came from the server, not as the browser mended it."""
    driver = browser.driver
    frame = driver.execute_cdp_cmd("Page.getFrameTree", {})["frameTree"]["frame"]
    which = {"frameId": frame["id"], "url": frame["url"]}
    try:
        return str(driver.execute_cdp_cmd("Page.getResourceContent", which)["content"])
    except WebDriverException:  # no-store: the browser has not kept it
        cookies = "; ".join(f"{c['name']}={c['value']}" for c in driver.get_cookies())
        return curl(driver.current_url, "--globoff", "--cookie", cookies).text


def html_faults(pages: dict[str, str], directory: Path) -> list[str]:
    """What the Nu Html Checker says about sources, by name: errors and warnings. It reads files."""
    for name, text in pages.items():
        (directory / f"{name}.html").write_text(text)
    command = [need("java"), "-jar", str(need_node("vnu-jar", "build/dist/vnu.jar"))]
    command += ["--format", "json", "--stdout", "--exit-zero-always"]
    files = [f"{name}.html" for name in pages]
    done = subprocess.run(
        command + files, cwd=directory, capture_output=True, text=True, timeout=250, check=True
    )
    return [
        f"{Path(said['url']).stem}, line {said.get('lastLine')}: {said['message']}"
        for said in json.loads(done.stdout)["messages"]
    ]


def axe_faults(browser: Browser) -> list[str]:
    """What axe says about the page that is open, with the elements; all of its rules."""
    browser.driver.execute_script(need_node("axe-core", "axe.min.js").read_text())
    found: dict[str, Any] = browser.driver.execute_async_script(
        "axe.run(document, {resultTypes: ['violations']}).then(arguments[0])"
    )
    return [
        f"{rule['id']}: {node['html'][:200]}: {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


def overflow(browser: Browser) -> int:
    """By how many pixels the page is wider than the screen."""
    return int(
        browser.driver.execute_script(
            "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
    )
