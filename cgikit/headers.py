"""Header fields: the one place where names and values are checked, and where parameters are read.

Implements RFC 9110 section 5 (field names and values, parameters) for both directions. Every header
of every response passes `check_field`, so nothing can be injected whatever set it. Which headers a
response has is decided in `response.py`; cookies have their own grammar in `cookies.py`.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")


def is_token(text: str) -> bool:
    """Tell whether `text` is a token (RFC 9110 section 5.6.2): a legal header or cookie name."""
    return bool(text) and _TOKEN.issuperset(text)


def check_field(name: str, value: str) -> None:
    """Raise `ValueError` unless `name: value` is safe to send as one header line.

    Names must be tokens; values printable ASCII. CR, LF, NUL and every other control are refused
    rather than removed, because what is left of an attack is not what the script meant to say.
    """
    if not is_token(name):
        raise ValueError(f"header name {name[:100]!r} is not a token (RFC 9110 section 5.6.2)")
    if not (value.isascii() and value.isprintable()):
        bad = next(char for char in value if not " " <= char <= "~")
        raise ValueError(
            f"header {name}: the value holds {bad!r}, but only printable ASCII can be sent; "
            "percent-encode or quote what comes from outside"
        )
    if value != value.strip():
        raise ValueError(f"header {name}: the value begins or ends with a space")


class Headers:
    """An ordered list of header fields with look-up by name in any case.

    `headers["Name"] = value` replaces all fields of that name; `add` appends one more. Every value
    is checked when it is set (`ValueError`), and once more when the response is written.
    """

    __slots__ = ("_fields",)

    def __init__(self, fields: "Mapping[str, str] | Iterable[tuple[str, str]]" = ()) -> None:
        self._fields: list[tuple[str, str]] = []
        items = getattr(fields, "items", None)
        for name, value in items() if items else fields:
            self.add(name, value)

    def add(self, name: str, value: str) -> None:
        """Append a field, keeping those of the same name (Set-Cookie, Link, Vary)."""
        value = str(value)
        check_field(name, value)
        self._fields.append((name, value))

    def get(self, name: str, default: str | None = None) -> str | None:
        """Return the first value of `name`, or `default`."""
        wanted = name.lower()
        for have, value in self._fields:
            if have.lower() == wanted:
                return value
        return default

    def getlist(self, name: str) -> list[str]:
        """Return all values of `name` in order (a new list)."""
        wanted = name.lower()
        return [value for have, value in self._fields if have.lower() == wanted]

    def items(self) -> list[tuple[str, str]]:
        """Return all (name, value) pairs in order, repeated names included (a new list)."""
        return list(self._fields)

    def __getitem__(self, name: str) -> str:
        value = self.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def __setitem__(self, name: str, value: str) -> None:
        value = str(value)
        check_field(name, value)
        wanted = name.lower()
        for at, (have, _) in enumerate(self._fields):
            if (
                have.lower() == wanted
            ):  # in its old place: the order of headers can matter to readers
                rest = [field for field in self._fields[at + 1 :] if field[0].lower() != wanted]
                self._fields[at:] = [(name, value), *rest]
                return
        self._fields.append((name, value))

    def __delitem__(self, name: str) -> None:
        if name not in self:
            raise KeyError(name)
        wanted = name.lower()
        self._fields = [field for field in self._fields if field[0].lower() != wanted]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.get(name) is not None

    def __iter__(self) -> "Iterator[str]":
        return iter([name for name, _ in self._fields])

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return f"Headers({self._fields!r})"


def parse_header(value: str) -> tuple[str, dict[str, str]]:
    """Split a header value into its main part and its parameters (RFC 9110 section 5.6.6).

    `'text/html; charset="utf-8"'` gives `("text/html", {"charset": "utf-8"})`. Parameter names come
    in lower case; of a repeated one the first counts (a later one could contradict what a filter in
    front has seen); a parameter without `=` or with an unclosed quote is left out. Never raises;
    takes linear time. The inverse is `format_header`.
    """
    main, _, rest = value.partition(";")
    parameters: dict[str, str] = {}
    position, end = 0, len(rest)
    while position < end:
        equals = rest.find("=", position)
        semicolon = rest.find(";", position)
        if equals < 0:
            break
        if 0 <= semicolon < equals:  # a word without a value
            position = semicolon + 1
            continue
        name = rest[position:equals].strip().lower()
        start = equals + 1
        while start < end and rest[start] in " \t":
            start += 1
        if rest[start : start + 1] == '"':
            text, position = _quoted(rest, start + 1)
        else:
            position = semicolon if semicolon >= 0 else end
            text = rest[start:position].strip()
        if name and text is not None:
            parameters.setdefault(name, text)
        semicolon = rest.find(";", position)
        position = semicolon + 1 if semicolon >= 0 else end
    return main.strip(), parameters


def _quoted(text: str, start: int) -> tuple[str | None, int]:
    """Read a quoted-string's inside from `start`; return it, or None if unclosed, and its end."""
    out = []
    position = start
    while True:
        quote = text.find('"', position)
        if quote < 0:
            return None, len(text)
        slash = text.find("\\", position, quote)
        if slash < 0:
            out.append(text[position:quote])
            return "".join(out), quote + 1
        out.append(text[position:slash])
        out.append(text[slash + 1 : slash + 2])
        position = slash + 2


def format_header(main: str, parameters: "Mapping[str, str] | None" = None) -> str:
    """Join a main value and its parameters to a header value; the inverse is `parse_header`.

    Values that are not tokens are quoted. A parameter outside ASCII is sent as RFC 8187 has it
    (`name*=UTF-8''…`) after an ASCII stand-in for old readers. Controls raise `ValueError`.
    """
    out = [main]
    for name, value in (parameters or {}).items():
        if not is_token(name):
            raise ValueError(f"parameter name {name[:100]!r} is not a token")
        if value.isascii():
            out.append(f"{name}={value if is_token(value) else _quote(value)}")
        else:
            out.append(
                f"{name}={_quote(value.encode('ascii', 'replace').decode().replace('?', '_'))}"
            )
            out.append(f"{name}*=UTF-8''{_extended(value)}")
    header = "; ".join(out)
    check_field("parameters", header)
    return header


def _quote(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _extended(value: str) -> str:
    plain = _TOKEN - frozenset("*'%")  # attr-char of RFC 8187 section 3.2.1
    return "".join(
        [chr(b) if chr(b) in plain else f"%{b:02X}" for b in value.encode("utf-8", "replace")]
    )
