"""Internal. Header fields as the removed `cgi` module parsed them: a value with its parameters, and
the header of one part of a form.

`parse_header` of `cgikit.parameters` follows the standard (RFC 9110 section 5.6.6). This one does what
old scripts expect: a backslash that escapes nothing stays, as in the paths that Internet Explorer
sent, and of a repeated parameter the last one counts.
"""

from io import StringIO

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


def parse_header(line: str) -> tuple[str, dict[str, str]]:
    """Split a header value into its main part and a dict of its parameters, named in lower case.

    A parameter without `=` is left out. Never raises for a str; takes linear time.
    """
    main, *rest = _pieces(line)
    found = {}
    for piece in rest:
        name, equals, value = piece.partition("=")
        if equals:
            found[name.strip().lower()] = _unquoted(value.strip())
    return main, found


def _pieces(line: str) -> list[str]:
    """Split at each semicolon that is not inside quotes; a quote after a backslash does not count."""
    found = []
    start = seen = quotes = 0
    while True:
        end = line.find(";", seen)
        if end < 0:
            found.append(line[start:].strip())
            return found
        quotes += line.count('"', seen, end) - line.count('\\"', seen, end)
        seen = end + 1
        if quotes % 2 == 0:
            found.append(line[start:end].strip())
            start, quotes = seen, 0


def _unquoted(value: str) -> str:
    if len(value) < 2 or value[0] != '"' or value[-1] != '"':
        return value
    return value[1:-1].replace("\\\\", "\\").replace('\\"', '"')


class PartHeaders:
    """The header of one part, with case-insensitive names: like an `email.message.Message`, to which
    it delegates everything that is not defined here.

    `headers[name]` is None if there is no such field; of a repeated field the first counts.
    """

    def __init__(self, fields: "list[tuple[str, str]]") -> None:
        self._fields = fields

    @classmethod
    def read(cls, text: str) -> "PartHeaders":
        """Parse the lines of a header, up to one that is not a field. Folded lines keep their line
        ends.
        """
        fields: list[list[str]] = []
        for line in StringIO(text, newline=""):
            if line[0] in " \t" and fields:
                fields[-1][1] += line
                continue
            name, colon, value = line.partition(":")
            if not colon or not all("!" <= c <= "~" for c in name):
                break
            fields.append([name, value.lstrip(" \t")])
        return cls([(name, value.rstrip("\r\n")) for name, value in fields])

    def _values(self, name: str) -> list[str]:
        wanted = name.lower()
        return [value for field, value in self._fields if field.lower() == wanted]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and bool(self._values(name))

    def __getitem__(self, name: str) -> "str | None":
        found = self._values(name)
        return found[0] if found else None

    def __setitem__(self, name: str, value: str) -> None:
        self._fields.append((name, value))

    def __delitem__(self, name: str) -> None:
        wanted = name.lower()
        self._fields = [pair for pair in self._fields if pair[0].lower() != wanted]

    def __len__(self) -> int:
        return len(self._fields)

    def __iter__(self) -> "Iterator[str]":
        return iter(self.keys())

    def __repr__(self) -> str:
        return f"PartHeaders({self._fields!r})"

    def get(self, name: str, default: "Any" = None) -> "Any":
        """Return the first value (str) of a field, or `default`."""
        found = self._values(name)
        return found[0] if found else default

    def get_all(self, name: str, default: "Any" = None) -> "Any":
        """Return all values of a field (list of str), or `default`."""
        return self._values(name) or default

    def keys(self) -> list[str]:
        """Return the names, as they were sent and in their order."""
        return [name for name, _ in self._fields]

    def values(self) -> list[str]:
        """Return the values, in their order."""
        return [value for _, value in self._fields]

    def items(self) -> list[tuple[str, str]]:
        """Return (name, value) pairs, in their order."""
        return list(self._fields)

    def __getattr__(self, name: str) -> "Any":
        if name.startswith("_"):
            raise AttributeError(f"PartHeaders has no attribute {name!r}")
        from email.message import Message

        message = Message()
        for field, value in self._fields:
            message[field] = value
        return getattr(message, name)
