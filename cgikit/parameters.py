"""Header values with parameters, such as `text/html; charset=utf-8`, and lists: parse and build.

Implements RFC 9110 section 5.6.6 and, for text outside ASCII, RFC 8187. Dates, cookies and ranges have
modules of their own.
"""

from .headers import TOKEN, check_field, is_token

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MISREAD = frozenset('%"\\')  # in a file name


def parse_header(value: str) -> tuple[str, dict[str, str]]:
    """Split a header value into its main part and its parameters (RFC 9110 section 5.6.6).

    `'text/html; charset="utf-8"'` gives `("text/html", {"charset": "utf-8"})`. Names of parameters are
    in lower case. If one is repeated, the first counts: a filter in front may have read that one. A
    parameter without `=` or with an unclosed quote is left out. Never raises; takes linear time. The
    inverse is `format_header`.
    """
    main, _, rest = value.partition(";")
    parameters: dict[str, str] = {}
    position, end = 0, len(rest)
    equals = rest.find("=")
    while equals >= 0:
        semicolon = rest.find(";", position)
        if 0 <= semicolon < equals:  # a word without a value
            position = semicolon + 1
            continue
        name = rest[position:equals].strip(" \t").lower()
        start = equals + 1
        while start < end and rest[start] in " \t":
            start += 1
        text: str | None
        if rest[start : start + 1] == '"':
            text, position = _quoted(rest, start + 1)
            semicolon = rest.find(";", position)
        else:
            text = rest[start : semicolon if semicolon >= 0 else end].rstrip(" \t")
        if name and text is not None:
            parameters.setdefault(name, text)
        if semicolon < 0:
            break
        position = semicolon + 1
        # Searched only now: otherwise ";;;;…=" would be searched from every semicolon.
        equals = rest.find("=", position)
    return main.strip(" \t"), parameters


def _quoted(text: str, start: int) -> tuple[str | None, int]:
    """Return the content of the quoted-string from `start`, or None if it is unclosed, and its end."""
    out = []
    position = start
    quote = text.find('"', start)
    while quote >= 0:
        slash = text.find("\\", position, quote)
        if slash < 0:
            out.append(text[position:quote])
            return "".join(out), quote + 1
        out.append(text[position:slash])
        out.append(text[slash + 1 : slash + 2])
        position = slash + 2
        # Searched again only if this quote was escaped: otherwise "\\\\\\…" would take quadratic time.
        if position > quote:
            quote = text.find('"', position)
    return None, len(text)


def split_list(value: str) -> "Iterator[str]":
    """Yield the members of a list such as `a, b;c="d,e"` (RFC 9110 section 5.6.1).

    A comma in quotes does not separate. Empty members are left out. Never raises; takes linear time.
    """
    if '"' not in value:
        yield from filter(None, [member.strip(" \t") for member in value.split(",")])
        return
    member: list[str] = []
    quoted = False
    for count, piece in enumerate(value.split('"')):
        if count:
            member.append('"')
        if quoted:
            member.append(piece)
            slashes = len(piece) - len(piece.rstrip("\\"))
            quoted = slashes % 2 == 1  # the quote that follows is escaped
            continue
        first, *others = piece.split(",")
        member.append(first)
        for other in others:
            yield from _member(member)
            member = [other]
        quoted = True
    yield from _member(member)


def _member(pieces: list[str]) -> list[str]:
    member = "".join(pieces).strip(" \t")
    return [member] if member else []


def format_header(main: str, parameters: "Mapping[str, str] | None" = None) -> str:
    """Return a header value made of a main value and parameters. The inverse is `parse_header`.

    Values that are not tokens are quoted. A value outside ASCII is written as in RFC 8187
    (`name*=UTF-8''…`), after an ASCII replacement for old clients. Control characters raise
    `ValueError`.
    """
    out = [main]
    for name, value in (parameters or {}).items():
        if not is_token(name):
            raise ValueError(
                f"the parameter name {name[:100]!r} is not a token; use letters, digits and dashes"
            )
        if value.isascii():
            out.append(f"{name}={value if is_token(value) else _quote(value)}")
        else:
            out.append(f"{name}={_quote(_stand_in(value))}")
            out.append(f"{name}*=UTF-8''{_extended(value)}")
    header = "; ".join(out)
    check_field("parameters", header)
    return header


def disposition(filename: str) -> str:
    """Return the Content-Disposition of a download (RFC 6266), with `filename*` as well if clients
    would misread `filename`.

    They do if the name is not ASCII; contains a percent sign, which browsers read as an escape; or
    contains quotes or backslashes, for which curl and wget give up the name (RFC 6266 appendix D). An
    empty name, slashes and the characters that `characters` refuses raise `ValueError`.
    """
    from .characters import refused

    bad = "/" if "/" in filename else refused(filename)
    if bad or not filename:
        found = f"it contains {bad!r}" if bad else "it is empty"
        raise ValueError(
            f"{filename[:100]!r} is not a valid file name: {found}; give a name without slashes and "
            "control characters"
        )
    if filename.isascii() and not _MISREAD & set(filename):
        return format_header("attachment", {"filename": filename})
    shown = _stand_in(filename).replace('"', "_").replace("\\", "_")
    return f"{format_header('attachment', {'filename': shown})}; filename*=UTF-8''{_extended(filename)}"


def _stand_in(value: str) -> str:
    return value.encode("ascii", "replace").decode().replace("?", "_")


def _quote(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _extended(value: str) -> str:
    plain = TOKEN - frozenset("*'%")  # attr-char of RFC 8187 section 3.2.1
    return "".join(
        [chr(b) if chr(b) in plain else f"%{b:02X}" for b in value.encode("utf-8", "replace")]
    )
