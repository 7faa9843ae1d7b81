"""The upload box: empty, without a file, and after a file, which JavaScript sent."""

from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from gallery.visitor import Visitor, at


def nothing(visitor: Visitor) -> None:
    visitor.opens("uploads.py")
    press(visitor, "alert")


def sent(visitor: Visitor) -> None:
    visitor.opens("uploads.py")
    file = visitor.place / "Minutes of the meeting.txt"
    file.write_text("We met.\n" * 2_000)
    visitor.browser.driver.find_element(By.NAME, "file").send_keys(str(file))
    press(visitor, "status")
    (visitor.data / "uploads-sent").unlink()  # each run of a scene is the first


def press(visitor: Visitor, role: str) -> None:
    """Send the form. The page stays the same document, so what it says is waited for."""
    visitor.clicks("form button")
    found = By.CSS_SELECTOR, f"main [role={role}]"
    WebDriverWait(visitor.browser.driver, 30).until(lambda driver: driver.find_elements(*found))


SCENES = {"": at("uploads.py"), "nothing": nothing, "sent": sent}
