"""Internal. Characters that a download's name and a location never hold, because another name would be
shown than was meant, or another place be reached.

Names that people and their systems give hold nearly anything: each screenshot of macOS has a narrow
no-break space in it, joined emoji hold joiners, Persian words too. So nothing else is refused here.
Text for a log and names for files on this machine are held to stricter rules elsewhere.
"""

# Controls (ISO 8859-1 and Unicode); the separators of lines and paragraphs; what turns the direction of
# the text around it, so that "exe.txt" is shown for "txt.exe"; halves of surrogate pairs, which are not
# text.
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
    """Return the first character of `text` that is refused, "" if there is none."""
    if text.isprintable():  # these are all right, and most texts are
        return ""
    for char in text:
        if ord(char) in _REFUSED or 0xD800 <= ord(char) < 0xE000:
            return char
    return ""
