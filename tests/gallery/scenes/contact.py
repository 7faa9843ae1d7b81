"""The contact form: empty, with errors, and after a message."""

from gallery.visitor import LONG, Visitor, at


def wrong(visitor: Visitor) -> None:
    visitor.opens("contact.py")
    visitor.sends(name=LONG, email="nowhere", message=LONG)


def sent(visitor: Visitor) -> None:
    visitor.opens("contact.py")
    # What only programs fill in: thanked for at once, and not counted.
    visitor.browser.driver.execute_script("document.querySelector('[name=website]').value = 'x'")
    visitor.browser.driver.execute_script("document.querySelector('select').selectedIndex = 1")
    visitor.sends(name="Ada", email="ada@example.org", message="Hello.")


SCENES = {"": at("contact.py"), "wrong": wrong, "sent": sent}
