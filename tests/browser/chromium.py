"""Headless Chromium as Debian ships it, without a call to anybody but the server under test."""

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from requirement import need
from selenium.common.exceptions import (
    NoSuchElementException,
    StaleElementReferenceException,
    WebDriverException,
)
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

WAIT_SECONDS = 20.0

FLAGS = (
    "--headless=new",
    "--no-sandbox",  # Chromium refuses to run as root with it
    "--disable-gpu",
    "--disable-dev-shm-usage",  # containers give 64 MB, then the page crashes
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-proxy-server",
    "--lang=en",
)


class Browser:
    """One browser window: open a page, fill a form in, read what came back."""

    def __init__(self, driver: Chrome) -> None:
        self.driver = driver

    def open(self, url: str) -> None:
        """Load a page."""
        self.driver.get(url)

    def field(self, form: str, name: str) -> WebElement:
        """The control called `name` in the form that the CSS selector `form` finds."""
        return self.driver.find_element(By.CSS_SELECTOR, f'{form} [name="{name}"]')

    def fill(self, form: str, **values: str) -> None:
        """Type into the named controls of a form."""
        for name, value in values.items():
            control = self.field(form, name)
            if control.get_attribute("type") != "file":
                control.clear()
            control.send_keys(value)

    def submit(self, form: str) -> None:
        """Press the form's button, and wait until the next page is there."""
        page = self.driver.find_element(By.TAG_NAME, "html")
        buttons = "button:not([type=button]), input[type=submit]"
        self.driver.find_element(By.CSS_SELECTOR, form).find_element(
            By.CSS_SELECTOR, buttons
        ).click()
        self.wait(lambda: page.id != self.driver.find_element(By.TAG_NAME, "html").id)
        self.wait(lambda: self.driver.execute_script("return document.readyState") == "complete")

    def wait(self, condition: Callable[[], bool]) -> None:
        """Wait until something holds, at most `WAIT_SECONDS`."""

        def holds(driver: Chrome) -> bool:
            try:
                return condition()
            except WebDriverException as error:
                if not _is_of_a_replaced_page(error):
                    raise
                return False

        WebDriverWait(self.driver, WAIT_SECONDS, 0.05).until(holds)

    @property
    def text(self) -> str:
        """The text that a person sees on the page."""
        return self.driver.find_element(By.TAG_NAME, "body").text


def _is_of_a_replaced_page(error: WebDriverException) -> bool:
    """Whether an element was looked for, or read, while its page was replaced by the next one."""
    if isinstance(error, NoSuchElementException | StaleElementReferenceException):
        return True
    # What chromedriver passes on from the browser if the page goes between two of its own steps
    return "does not belong to the document" in str(error.msg)


@contextlib.contextmanager
def chromium(profile: Path) -> Iterator[Browser]:
    """Run Chromium with the directory `profile` for everything that it keeps."""
    options = ChromeOptions()
    options.binary_location = need("chromium")
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    # Other sites' cookies are let in, as browsers of many visitors do, so that they can be tested.
    options.add_experimental_option("prefs", {"profile.cookie_controls_mode": 0})
    # A path of its own: Selenium would otherwise look for a driver to download.
    # And a home of its own: crash reports go there, whatever the profile.
    home = {**os.environ, "HOME": str(profile), "XDG_CONFIG_HOME": str(profile)}
    service = ChromeService(executable_path=need("chromedriver"), env=home)
    driver = Chrome(options=options, service=service)
    try:
        driver.set_page_load_timeout(60)
        yield Browser(driver)
    finally:
        driver.quit()
