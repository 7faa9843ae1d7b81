"""Internal. Characters that are refused in the name of a download and in a location, because they make
another name appear than the one that was given, or lead to another place.

Real names contain nearly everything else: every screenshot of macOS has a narrow no-break space in its
name, emoji and Persian words contain joiners. So nothing more is refused here. Stricter rules hold for
text in a log and for the names of files on this machine; other modules have them.
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
