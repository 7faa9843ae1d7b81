"""The inspector in Chromium: with the keyboard alone, and attacked by a page of the same server."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait
from serving import DEADLINE, Server, serve

from .chromium import Browser

HELLO = """\
#!/bin/sh
printf 'Content-Type: text/html; charset=utf-8\\n\\n<!DOCTYPE html><title>Hello</title>'
printf '<h1>%s</h1>' "$QUERY_STRING"
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    path = tmp_path / "hello.sh"
    path.write_text(HELLO)
    path.chmod(0o755)
    with serve(tmp_path) as running:
        yield running


def focused(browser: Browser) -> str:
    return browser.driver.switch_to.active_element.text


def tab_to(browser: Browser, words: str) -> None:
    """Press the tab key until something with these words has the focus."""
    for _ in range(50):
        browser.driver.switch_to.active_element.send_keys(Keys.TAB)
        if words in focused(browser):
            return
    raise AssertionError(f"no way to {words!r} by the keyboard")


def waits_for(browser: Browser, words: str) -> None:
    """Wait until the page that is open has these words."""
    WebDriverWait(browser.driver, DEADLINE).until(
        lambda driver: words in driver.find_element(By.TAG_NAME, "body").text
    )


def press(browser: Browser, words: str) -> None:
    tab_to(browser, words)
    browser.driver.switch_to.active_element.send_keys(Keys.ENTER)


def test_the_keyboard_is_enough(browser: Browser, server: Server, tmp_path: Path) -> None:
    """From the list to a replay, to a changed request and to a saved test; the browser's own Origin."""
    browser.open(f"{server.url}hello.sh?name=Ada")
    browser.open(f"{server.url}_cgikit/")
    press(browser, "/hello.sh?name=Ada")
    waits_for(browser, "exit status 0")
    press(browser, "Send it again")
    waits_for(browser, "replay of")
    press(browser, "Edit and send")
    waits_for(browser, "Path, without the query")
    browser.driver.find_element(By.NAME, "query-value").send_keys(" Lovelace")
    press(browser, "Send it")
    waits_for(browser, "name=Ada+Lovelace")
    press(browser, "Save as a test")
    waits_for(browser, "Saved as")
    assert (tmp_path / "tests" / "test_hello_get.py").exists()


def test_the_list_brings_itself_up_to_date_and_keeps_the_focus(
    browser: Browser, server: Server
) -> None:
    browser.open(f"{server.url}hello.sh?first")
    browser.open(f"{server.url}_cgikit/")
    tab_to(browser, "/hello.sh?first")
    place = browser.driver.current_window_handle
    browser.driver.switch_to.new_window("tab")
    browser.open(f"{server.url}hello.sh?second")
    browser.driver.close()
    browser.driver.switch_to.window(place)
    waits_for(browser, "/hello.sh?second")
    assert "/hello.sh?first" in focused(browser)


#: What a script in a served page tries, and what it gets: each returns a text.
ATTACKS = {
    "fetch": "fetch('/_cgikit/').then(a => a.text()).then(done)",
    "fetch the rows": "fetch('/_cgikit/rows').then(a => a.text()).then(done)",
    "fetch one": "fetch('/_cgikit/1').then(a => a.text()).then(done)",
    "XMLHttpRequest": "const x = new XMLHttpRequest(); x.onload = () => done(x.responseText);"
    "x.open('GET', '/_cgikit/1'); x.send()",
    "a frame": "const f = document.createElement('iframe'); f.src = '/_cgikit/';"
    "f.onload = () => { let t; try { t = f.contentDocument.body.innerHTML } catch (e) { t = `${e}` }"
    "done(t) }; document.body.append(f)",
    "post": "fetch('/_cgikit/1/replay', {method: 'POST', body: new URLSearchParams({token: ''})})"
    ".then(a => a.text()).then(done)",
    "a window": "const w = window.open('/_cgikit/'); let n = 0; const t = setInterval(() => {"
    "if (w.closed || n++ > 200) { clearInterval(t); done(`closed ${w.closed}`) }"
    "try { if (w.document.forms.length) { clearInterval(t);"
    "done(w.document.body.innerHTML) } } catch (e) { clearInterval(t); done(`${e}`) } }, 50)",
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_a_served_page_cannot_read_or_use_the_inspector(
    browser: Browser, server: Server, attack: str
) -> None:
    """It has the same origin: only what the browser says of a request tells the two apart."""
    browser.driver.set_script_timeout(DEADLINE)
    browser.open(f"{server.url}hello.sh?name=Ada")
    own = browser.driver.current_window_handle
    code = f"const done = arguments[arguments.length - 1]; {attack}"
    said = str(browser.driver.execute_async_script(code))
    for other in browser.driver.window_handles:
        if other != own:
            browser.driver.switch_to.window(other)
            browser.driver.close()
    browser.driver.switch_to.window(own)
    assert "Ada" not in said
    assert "data-token" not in said
    assert 'name="token"' not in said
    browser.open(f"{server.url}_cgikit/")
    waits_for(browser, "name=Ada")
    assert "replay of" not in browser.driver.page_source
