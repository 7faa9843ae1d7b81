"""What cases are made of: what browsers and people send, and what attackers do.

Everything is drawn from one `random.Random`, so that the same seed gives the same cases.
"""

import random
from collections.abc import Sequence

WORDS = (
    "a", "name", "e-mail", "Ada Lovelace", "é", "日本語", "😀", "50%", "a+b", "x=y", "x&y", "x;y", "",
    "on", "1", "0", "-1", "3.14", "<b>", '"quoted"', "it's", "C:\\dir\\file.txt", "C:\\dir\\",
    "../../etc/passwd",
    "keywords", "POSTDATA", "one two", " lead", "trail ", "a/b", "a?b#c", "tab\there", "line\nbreak",
    "cr\r\nlf", "[x]", "a[]", "a.b", "~user", "*", "null\0byte", "\x1e", "\x1f\x1e", "%", "%%", "%4",
    "%zz", "%00", "%26", "+", "&", "=", ";", ",", "\N{NO-BREAK SPACE}", "\N{ZERO WIDTH JOINER}",
    "\N{RIGHT-TO-LEFT OVERRIDE}", "&amp;", "&lt;b&gt;", "&copy", "&#39;", "ß" * 30, "x" * 300,
)  # fmt: skip

#: Pieces of a query string as no form sends them.
RAW = (
    "=", "==", "&", "&&", ";", "+", "%", "%2", "%zz", "%u00e9", "%u20AC", "%uD83D%uDE00", "%uD83D",
    "%u12", "%C3%A9", "%c3%a9", "%E9", "%00", "%0A", "%26", "%3D", "%3B", "%2B", "%25", "%1E", "%1F",
    "a", "b", "c=", "=d", "a=1", "a=2", "b=2;c=3", "a=b=c", "é", "日", "a%20b", "a+b", "'", '"', "<",
    "%f0%9f%98%80", "%80", "%ED%A0%80", "%EF%BF%BD", "x" * 50,
)  # fmt: skip

_SAFE = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.*")


def word(rng: random.Random) -> str:
    """A text: one that people type, sometimes two in one, sometimes of any characters."""
    choice = rng.random()
    if choice < 0.75:
        return rng.choice(WORDS)
    if choice < 0.9:
        return rng.choice(WORDS) + rng.choice(WORDS)
    return "".join(chr(rng.choice((rng.randrange(128), rng.randrange(0xD800)))) for _ in range(4))


def name(rng: random.Random) -> str:
    """The name of a field: mostly a plain one, often the same one."""
    return rng.choice(("a", "a", "b", "name", "c")) if rng.random() < 0.6 else word(rng)


def escaped(rng: random.Random, text: str) -> str:
    """A text as a part of a query: as browsers escape it, as CGI.pm does, or with too many escapes."""
    way = rng.randrange(4)
    out = []
    for byte in text.encode():
        if byte == 0x20 and way in (0, 3):
            out.append("+")
        elif byte in _SAFE and (way != 2 or rng.random() < 0.7):
            out.append(chr(byte))
        else:
            out.append(f"%{byte:02x}" if way == 3 else f"%{byte:02X}")
    return "".join(out)


def query(rng: random.Random) -> str:
    """A query string: of a form, or of anything."""
    if rng.random() < 0.35:
        return "".join(rng.choice(RAW) for _ in range(rng.randrange(8)))
    pairs = [
        f"{escaped(rng, name(rng))}={escaped(rng, word(rng))}" for _ in range(rng.randrange(6))
    ]
    if rng.random() < 0.3:
        pairs.insert(rng.randrange(len(pairs) + 1), rng.choice(RAW))
    return rng.choice(("&", "&", "&", "&", ";")).join(pairs)


def some(rng: random.Random, choices: Sequence[str], chance: float = 0.5) -> str:
    """One of the choices, or "" ."""
    return rng.choice(choices) if rng.random() < chance else ""


def cookie_header(rng: random.Random) -> str:
    """A Cookie header: pairs as browsers send them, and as others do."""
    pairs = []
    for _ in range(rng.randrange(5)):
        title = rng.choice(("a", "b", "session", "__Host-id", "a.b", "x-y", word(rng)))
        value = rng.choice(
            (escaped(rng, word(rng)), word(rng), f'"{escaped(rng, word(rng))}"', "", "a=b", "a,b")
        )
        pairs.append(rng.choice((f"{title}={value}",) * 6 + (title, f"{title} = {value}")))
    header = rng.choice(("; ",) * 5 + (";", ", ", " ;  ")).join(pairs)
    return header.replace("\0", "").replace("\n", "").replace("\r", "")
