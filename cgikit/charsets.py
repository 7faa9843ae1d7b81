"""Internal. Character sets by name (RFC 2978): which ones a message may name, and the codec of each.

Every charset name that comes from outside is looked up here. Python remembers every name that it was
ever asked for, known or not, as long as the process lives; so it is asked only for names on a list.
`encoded` also handles characters that a charset lacks. Input is decoded where it is read: in `body` and
`querystring`.
"""

from encodings import aliases as _names

_ALIASES: "dict[str, str]" = _names.aliases
_MAX_NAME = 40  # characters; RFC 2978 section 2.3
_PUNCTUATION = frozenset("-_.:()+")  # in names that IANA has registered

# Codecs of Python that have no alias
_OTHERS = frozenset(
    "cp1006 cp720 cp737 cp856 cp874 koi8_t koi8_u mac_arabic mac_croatian mac_farsi mac_romanian palmos"
    " utf_8_sig".split()
)
# UTF-7 and EBCDIC write "<" as other characters, and so get past every filter that looks for one. The
# others are not charsets: they turn bytes into bytes or text into text, or depend on the machine.
_REFUSED = frozenset(
    "utf_7 cp037 cp1026 cp1140 cp273 cp424 cp500 base64_codec bz2_codec hex_codec mbcs quopri_codec"
    " rot_13 tactis uu_codec zlib_codec".split()
)
CODECS = (frozenset(_ALIASES.values()) | _OTHERS) - _REFUSED


# What browsers use for these codecs (WHATWG Encoding section 4.2)
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
    """Return the name of Python's codec for a charset (str), one of `CODECS`; None if the charset is
    unknown or refused.

    Case and punctuation do not matter, and all aliases that Python knows are accepted.
    """
    if len(name) > _MAX_NAME or not name.isascii():
        return None
    if not all(c.isalnum() or c in _PUNCTUATION for c in name):
        return None
    words = "".join([c if c.isalnum() or c == "." else " " for c in name.lower()]).split()
    dotted = "_".join(words)
    normal = dotted.replace(".", "_")
    codec = _ALIASES.get(dotted) or _ALIASES.get(normal, normal)
    return codec if codec in CODECS else None


def of_page(name: str) -> str:
    """Return the name of Python's codec for the forms on a page in charset `name` (str).

    Browsers treat "iso-8859-1" as windows-1252, "shift_jis" as the variant of Windows, and so on.
    Raises `ValueError` if the charset is unknown or refused, and for UTF-16 and UTF-32, in which
    browsers send no forms.
    """
    codec = find(name)
    if codec is None or codec.startswith(("utf_16", "utf_32")):
        raise ValueError(
            f"charset={name[:50]!r} is not a charset that browsers send forms in; give the charset of "
            "the page, such as 'windows-1252', or leave it out for UTF-8"
        )
    return "utf-8" if codec.startswith("utf_8") else _BROWSERS.get(codec, codec)


def encoded(text: str, name: str, content_type: str) -> bytes:
    """Return the text of a response as bytes in charset `name`, the one in its `content_type`.

    HTML is encoded as browsers will decode it: "iso-8859-1" is windows-1252. In HTML and XML a
    character that the charset lacks becomes a numeric character reference (`&#8364;`); in other types
    it raises `ValueError`. Halves of surrogate pairs always become `?`. A charset that is unknown or
    refused raises `LookupError`.
    """
    codec = find(name)
    if codec is None:
        raise LookupError(
            f"content_type={content_type[:100]!r}: {name[:50]!r} is not a charset that a response can "
            "have; use utf-8"
        )
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode()  # replaces surrogates only
    if codec.startswith("iso2022"):
        # These controls switch the charset: if a visitor typed one, it would hide the markup after it.
        text = text.translate(_SHIFTS)
    media = content_type.partition(";")[0].strip().lower()
    if media == "text/html":
        return text.encode(_BROWSERS.get(codec, codec), "xmlcharrefreplace")
    if media in {"text/xml", "application/xml"} or media.endswith("+xml"):
        return text.encode(codec, "xmlcharrefreplace")  # only browsers read another charset
    try:
        return text.encode(codec)
    except UnicodeEncodeError:
        try:
            return text.encode(_BROWSERS.get(codec, codec))
        except UnicodeEncodeError as error:
            lacking = text[error.start]
    raise ValueError(
        f"content_type={content_type[:100]!r}: the body contains {lacking!r}, which this charset "
        "lacks; use charset=utf-8, or give bytes"
    )


def decoded(raw: bytes, charset: str, errors: str) -> str:
    """Decode bytes by a charset that a message names. `UnsupportedMediaType` for an unknown one,
    `UnicodeDecodeError` for bytes that are not valid in it, if `errors` is "strict".
    """
    if charset == "utf-8":
        return raw.decode("utf-8", errors)
    codec = find(charset)
    if codec is not None:
        try:
            return raw.decode(codec, errors)
        except UnicodeDecodeError:
            raise
        except (LookupError, ValueError):  # this Python was built without that codec
            pass
    from .errors import UnsupportedMediaType

    raise UnsupportedMediaType(f"the charset {charset[:50]!r} is unknown; send UTF-8", charset)
