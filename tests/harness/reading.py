"""The elements of a piece of HTML, as a parser reads them, for tests of what the fields make."""

from html.parser import HTMLParser
from typing import NamedTuple

VOID = {"input", "br", "meta", "link", "hr", "img"}


class Element(NamedTuple):
    """A start tag: its attributes as read (one without a value is ""), and the text inside."""

    name: str
    attributes: dict[str, str]
    text: list[str]

    def __getitem__(self, name: object) -> str:  # type: ignore[override]
        return self.attributes[str(name)]

    def get(self, name: str) -> str | None:
        """An attribute, or None."""
        return self.attributes.get(name)


class Reader(HTMLParser):
    """Collects the elements; what is not well-formed is an AssertionError."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self.open: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(attrs) == len(dict(attrs)), f"an attribute twice in {tag}: {attrs}"
        element = Element(tag, {name: value or "" for name, value in attrs}, [])
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> ends nothing"
        assert self.open.pop().name == tag

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.text.append(data)


def elements(html: str, *names: str) -> list[Element]:
    """All elements of these names (without any: all), in their order."""
    reader = Reader()
    reader.feed(html)
    reader.close()
    left = [each.name for each in reader.open if each.name != "html"]  # which may be left open
    assert not left, f"not closed: {left}"
    return [each for each in reader.elements if not names or each.name in names]


def only(html: str, name: str) -> Element:
    """The one element of this name."""
    (found,) = elements(html, name)
    return found


def textarea(html: str) -> str:
    """The text of the one text area, as browsers read it: without the first line end."""
    text = "".join(only(html, "textarea").text)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.removeprefix("\n")


def by_id(html: str, id: str) -> Element:
    """The one element with this id."""
    (found,) = [each for each in elements(html) if each.get("id") == id]
    return found
