"""Character sets by their names (RFC 2978): which of them a message may name, and which codec that is.

The one way from a name that somebody has sent to a codec of Python's. Python remembers every name that
it was ever asked for, known or not, for as long as the process lives: so it is asked only for names
from a list. What a charset has no character for is dealt with here as well (`encoded`). Text that comes
in is decoded by those who have it: `body`, `querystring`. Internal.
"""

from encodings import aliases as _names

_ALIASES: "dict[str, str]" = _names.aliases
_LONGEST = 40  # characters; RFC 2978 section 2.3
_PUNCTUATION = frozenset("-_.:()+")  # in names that IANA has registered

# What Python has no second name for
_OTHERS = frozenset(
    "cp1006 cp720 cp737 cp856 cp874 koi8_t koi8_u mac_arabic mac_croatian mac_farsi mac_romanian palmos"
    " utf_8_sig".split()
)
# UTF-7 and EBCDIC spell "<" in letters, and pass every filter that looks for one. The others are no
# charsets: bytes to bytes, text to text, or whatever this machine has.
_REFUSED = frozenset(
    "utf_7 cp037 cp1026 cp1140 cp273 cp424 cp500 base64_codec bz2_codec hex_codec mbcs quopri_codec"
    " rot_13 tactis uu_codec zlib_codec".split()
)
CODECS = (frozenset(_ALIASES.values()) | _OTHERS) - _REFUSED


# What browsers mean by a name of these: the WHATWG Encoding standard, section 4.2
_BROWSERS = {
    "ascii": "cp1252",
    "latin_1": "cp1252",
    "iso8859_9": "cp1254",
    "iso8859_11": "cp874",
    "tis_620": "cp874",
    "gb2312": "gbk",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
}

_SHIFTS = dict.fromkeys((0x0E, 0x0F, 0x1B), "\ufffd")  # SO, SI and ESC


def find(name: str) -> str | None:
    """Return the name of Python's codec for a charset (str), one of `CODECS`; None if it is unknown,
    or one that no message may name.

    Case and punctuation do not matter, and every alias that Python knows is taken.
    """
    if len(name) > _LONGEST or not name.isascii():
        return None
    if not all(c.isalnum() or c in _PUNCTUATION for c in name):
        return None
    words = "".join([c if c.isalnum() or c == "." else " " for c in name.lower()]).split()
    dotted = "_".join(words)
    normal = dotted.replace(".", "_")
    codec = _ALIASES.get(dotted) or _ALIASES.get(normal, normal)
    return codec if codec in CODECS else None


def of_page(name: str) -> str:
    """Return the name of Python's codec for what a browser sends from a page in charset `name` (str).

    Browsers take "iso-8859-1" for windows-1252, "shift_jis" for what Windows calls so, and so on.
    Raises `ValueError` for a name that is unknown, and for UTF-16 and UTF-32: no form is sent in them.
    """
    codec = find(name)
    if codec is None or codec.startswith(("utf_16", "utf_32")):
        raise ValueError(
            f"charset={name[:50]!r} is not a charset that forms are sent in; give the one of the page, "
            "such as 'windows-1252', or leave it out for UTF-8"
        )
    return "utf-8" if codec.startswith("utf_8") else _BROWSERS.get(codec, codec)


def encoded(text: str, name: str, content_type: str) -> bytes:
    """Return the text of an answer in charset `name` (str), the one that its `content_type` names.

    HTML is written as browsers will read it: "iso-8859-1" is windows-1252. What the charset has no
    character for becomes a numeric character reference in HTML and XML (`&#8364;`). Other types have no
    such thing, and it is a `ValueError`. Halves of surrogate pairs become `?` everywhere.
    A charset that is unknown, or that no message may name, is a `LookupError`.
    """
    codec = find(name)
    if codec is None:
        raise LookupError(
            f"content_type={content_type[:100]!r} names {name[:50]!r}, which is not a charset that an "
            "answer can have; use utf-8"
        )
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode()  # all that this replaces is surrogates
    if codec.startswith("iso2022"):
        # They switch the charset: what a visitor typed would hide the markup behind it.
        text = text.translate(_SHIFTS)
    media = content_type.partition(";")[0].strip().lower()
    if media == "text/html":
        return text.encode(_BROWSERS.get(codec, codec), "xmlcharrefreplace")
    if media in {"text/xml", "application/xml"} or media.endswith("+xml"):
        return text.encode(codec, "xmlcharrefreplace")  # no other reader knows what browsers do
    try:
        return text.encode(codec)
    except UnicodeEncodeError:
        try:
            return text.encode(_BROWSERS.get(codec, codec))
        except UnicodeEncodeError as error:
            lacking = text[error.start]
    raise ValueError(
        f"content_type={content_type[:100]!r}: this charset has no character {lacking!r}, which is in "
        "the body; use charset=utf-8, or give bytes"
    )
