"""Internal. Characters that mislead a reader: which of them are refused, and how a text that has some
is shown.

`refused` is for the name of a download and for a location, where they make another name appear than
the one that was given, or lead to another place. Real names contain nearly everything else: every
screenshot of macOS has a narrow no-break space in its name, emoji and Persian words contain joiners. So
nothing more is refused there. `printable` is for logs and pages. The names of files on this machine
have rules of their own, in `upload.py`.
"""

# Controls (ISO 8859-1 and Unicode); the separators of lines and paragraphs; characters that change the
# direction of text, so that "txt.exe" appears as "exe.txt". `refused` adds halves of surrogate pairs,
# which are not text.
_REFUSED = frozenset(
    (
        *range(0x20),
        *range(0x7F, 0xA0),
        0x2028,
        0x2029,
        *range(0x202A, 0x202F),
        *range(0x2066, 0x206A),
    )
)


def refused(text: str) -> str:
    """Return the first character of `text` that is refused; "" if there is none."""
    if text.isprintable():  # the usual case: no printable character is refused
        return ""
    for char in text:
        if ord(char) in _REFUSED or 0xD800 <= ord(char) < 0xE000:
            return char
    return ""


def printable(text: str, keep: str = "\t") -> str:
    r"""Return a text with escapes for what does not print: `"\x1b"` becomes the four characters `\x1b`.

    Otherwise a line end in it could forge a line of a log, and a terminal would obey the rest. The
    characters in `keep` stay. Halves of surrogate pairs (undecodable bytes) are escaped as well, so the
    result can always be encoded.
    """
    if text.isprintable():
        return text
    return "".join(
        [char if char.isprintable() or char in keep else _escaped(char) for char in text]
    )


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
