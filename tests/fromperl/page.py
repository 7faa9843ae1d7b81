"""What a page says to its reader, whoever wrote the markup: text, links, forms and their fields."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

#: Elements inside a line of text; all others begin a line of their own.
INLINE = {"a", "abbr", "b", "code", "em", "i", "small", "span", "strong", "time", "td", "th"}

Attributes = list[tuple[str, str | None]]


@dataclass
class Field:
    """A control of a form. `value` is what it would send now, None if it would send nothing."""

    name: str
    kind: str
    value: str | None
    #: What may be chosen: values, and what a menu shows for each.
    offers: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Form:
    """A form, with its fields in the order of the page."""

    method: str
    action: str
    multipart: bool
    fields: list[Field] = field(default_factory=list)


class Page(HTMLParser):
    """A page, read."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.title = ""
        self.lines: list[str] = []
        self.links: list[str] = []
        self.forms: list[Form] = []
        self._text: list[str] = []  # of the line, title, option, button or area that is open
        self._open: dict[str, str | None] = {}  # the attributes of what is open
        self._select = Field("", "", None)
        self._option: str | None = None
        self.feed(markup)
        self.close()
        self._end_line()

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a":
            self.links.append(given.get("href", ""))
        if tag in INLINE:
            self._text.append(" " if tag in {"td", "th"} else "")
            return
        self._end_option() if tag in {"option", "optgroup"} else self._end_line()
        if tag == "form":
            multipart = given.get("enctype") == "multipart/form-data"
            self.forms.append(Form(given.get("method", "get"), given.get("action", ""), multipart))
        elif tag == "input":
            self._input(given.get("type", "text").lower(), given.get("name", ""), given)
        elif tag == "select":
            self._select = Field(given.get("name", ""), "select", None)
            self._first = "multiple" not in given
        elif tag == "option":
            self._option = given.get("value", "")
            if "selected" in given:
                self._select.value, self._first = self._option, False
        elif tag in {"textarea", "button"}:
            self._open = dict(given)

    def handle_endtag(self, tag: str) -> None:
        name = self._open.get("name") or ""
        if tag in {"script", "style"}:
            self._take()
        elif tag == "title":
            self.title = self._take()
        elif tag == "textarea":
            # The first line end after the tag is not part of the value (HTML, section 13.1.2.5)
            text, self._text = "".join(self._text).replace("\r\n", "\n"), []
            self._add(Field(name, "textarea", text.removeprefix("\n")))
        elif tag == "button":
            text = self._take()
            self._button(name, self._open.get("value") or text)
        elif tag in {"option", "optgroup", "select"}:
            self._end_option()
            if tag == "select":
                self._add(self._select)
        elif tag not in INLINE:
            self._end_line()

    def handle_data(self, data: str) -> None:
        self._text.append(data)

    def _input(self, kind: str, name: str, given: dict[str, str]) -> None:
        value = given.get("value", "")
        if kind == "submit":
            self._button(name, value)
        elif kind in {"checkbox", "radio"}:
            value = given.get("value", "on")
            self._add(Field(name, kind, value if "checked" in given else None, [(value, "")]))
        elif kind == "file":
            self._add(Field(name, kind, ""))  # browsers choose no file by themselves
        elif kind in {"hidden", "password"}:
            self._add(Field(name, kind, value))
        else:  # email, number, search …: text for an old browser, and none has line ends in it
            self._add(Field(name, "text", value.replace("\r", "").replace("\n", "")))

    def _button(self, name: str, value: str) -> None:
        self._add(Field(name, "button", value))

    def _add(self, one: Field) -> None:
        if self.forms:
            self.forms[-1].fields.append(one)

    def _end_option(self) -> None:
        label = self._take()
        if self._option is not None:
            self._select.offers.append((self._option, label))
            if self._first:  # a menu shows its first choice until another is made
                self._select.value, self._first = self._option, False
        self._option = None

    def _end_line(self) -> None:
        if text := self._take():
            self.lines.append(text)

    def _take(self) -> str:
        text, self._text = " ".join("".join(self._text).split()), []
        return text
