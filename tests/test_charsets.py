"""Charsets by name: which are known, under which names, and what none of them can do."""

import codecs
from encodings.aliases import aliases

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgikit.charsets import CODECS, encoded, find, of_page

#: As browsers, mail programs and editors write them: the names of the WHATWG Encoding standard that
#: Python knows too, with the names of their codecs.
NAMES = {
    "utf-8": "utf_8", "UTF8": "utf_8", "utf-8-sig": "utf_8_sig", "us-ascii": "ascii",
    "ANSI_X3.4-1968": "ascii", "iso-8859-1": "latin_1", "ISO_8859-1:1987": "latin_1",
    "latin1": "latin_1", "l1": "latin_1", "ISO-8859-15": "iso8859_15", "windows-1252": "cp1252",
    "CP1252": "cp1252", "windows-1251": "cp1251", "KOI8-R": "koi8_r", "koi8-u": "koi8_u",
    "Shift_JIS": "shift_jis", "sjis": "shift_jis", "EUC-JP": "euc_jp",
    "ISO-2022-JP": "iso2022_jp", "GB18030": "gb18030", "gbk": "gbk", "gb2312": "gb2312",
    "Big5": "big5", "big5-hkscs": "big5hkscs", "euc-kr": "euc_kr", "TIS-620": "tis_620",
    "macintosh": "mac_roman", "UTF-16": "utf_16", "utf-16le": "utf_16_le", "IBM850": "cp850",
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_charset_is_known_by_the_names_that_are_in_use(name: str) -> None:
    assert find(name) == NAMES[name]


@pytest.mark.parametrize("name", sorted(aliases))
def test_every_alias_of_pythons_is_taken_as_python_takes_it(name: str) -> None:
    found = find(name)
    if found is not None:
        assert codecs.lookup(found).name == codecs.lookup(name).name
    elif aliases[name] in CODECS:  # one that Python does not find either, for its capitals
        with pytest.raises(LookupError):
            codecs.lookup(name)


@pytest.mark.parametrize("name", sorted(CODECS))
def test_s19_no_charset_spells_markup_in_letters(name: str) -> None:
    assert find(name) == name
    assert codecs.lookup(name)._is_text_encoding
    letters = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+-/,. "
    for count in (1, 2, 4):  # as one byte, or as several
        for first in letters:
            rest = letters if count > 1 else b"A"
            for last in rest:
                raw = bytes([first, last])[:count] * max(1, count // 2)
                assert not set(raw.decode(name, "replace")) & set("<>&'\"")


@pytest.mark.parametrize("name", ["utf_16", "utf_16_le", "utf_16_be", "utf_32"])
def test_only_wide_charsets_read_letters_otherwise(name: str) -> None:
    others = {codec for codec in CODECS if b"Az09".decode(codec, "replace") != "Az09"}
    assert name in others
    assert all(codec.startswith(("utf_16", "utf_32")) for codec in others)


@given(st.text())
def test_any_name_gives_one_of_the_list_or_none(name: str) -> None:
    assert find(name) in {None, *CODECS}


@pytest.mark.parametrize(
    "name",
    [
        "",
        "utf 8",
        "utf-8\0",
        "utf-8;",
        "ütf-8",
        "utf-8" + "-" * 36,
        "../utf_8",
        "utf/8",
        "a.b",
        ".",
    ],
)
def test_what_is_no_name_is_unknown(name: str) -> None:
    assert find(name) is None


def test_the_longest_name_of_rfc_2978_is_looked_at() -> None:
    assert find("utf-8" + "-" * 35) == "utf_8"


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("UTF-8", "utf-8"),
        ("utf8", "utf-8"),
        ("iso-8859-1", "cp1252"),
        ("latin1", "cp1252"),
        ("us-ascii", "cp1252"),
        ("windows-1252", "cp1252"),
        ("iso-8859-9", "cp1254"),
        ("iso-8859-15", "iso8859_15"),
        ("Shift_JIS", "cp932"),
        ("gb2312", "gbk"),
        ("euc-kr", "cp949"),
        ("tis-620", "cp874"),
        ("koi8-r", "koi8_r"),
    ],
)
def test_a_page_s_charset_is_what_browsers_take_it_for(name: str, codec: str) -> None:
    assert of_page(name) == codec
    codecs.lookup(of_page(name))


@pytest.mark.parametrize("name", ["", "nonsense", "utf-7", "utf-16", "utf-16le", "utf-32", "hex"])
def test_a_charset_that_no_form_is_sent_in_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not a charset that browsers send forms in"):
        of_page(name)


@pytest.mark.parametrize(
    ("text", "charset", "media", "raw"),
    [
        ("ü€", "iso-8859-1", "text/html", b"\xfc\x80"),
        ("ü€", "us-ascii", "TEXT/HTML", b"\xfc\x80"),
        ("ü€", "iso-8859-1", "application/xhtml+xml", b"\xfc&#8364;"),
        ("ü€", "iso-8859-1", "application/xml", b"\xfc&#8364;"),
        ("ü€", "us-ascii", "text/xml", b"&#252;&#8364;"),
        ("ü€", "iso-8859-1", "text/csv", b"\xfc\x80"),
        ("ü\x85", "iso-8859-1", "text/csv", b"\xfc\x85"),
        ("ü\x85", "iso-8859-1", "text/html", b"\xfc&#133;"),
        ("ä①€", "shift_jis", "text/html", b"&#228;\x87\x40&#8364;"),
        ("①", "shift_jis", "text/plain", b"\x87\x40"),
        ("あ😀い", "iso-2022-jp", "text/html", b'\x1b$B$"\x1b(B&#128512;\x1b$B$$\x1b(B'),
        ("Яä", "koi8-r", "image/svg+xml", b"\xf1&#228;"),
        ("a\udcff", "iso-8859-1", "text/html", b"a?"),
        ("a\udcff", "iso-8859-1", "application/xml", b"a?"),
        ("a\udcff", "iso-8859-1", "text/plain", b"a?"),
        ("ä\udcff", "utf8", "text/html", "ä?".encode()),
    ],
)
def test_an_answer_is_written_as_its_readers_read_it(
    text: str, charset: str, media: str, raw: bytes
) -> None:
    """A visitor's "€" came in as windows-1252 and could not go out as ISO-8859-1: a 500."""
    assert encoded(text, charset, f"{media}; charset={charset}") == raw


@pytest.mark.parametrize("name", sorted(CODECS))
@pytest.mark.parametrize("media", ["text/html", "application/xml"])
def test_any_text_can_be_a_page(name: str, media: str) -> None:
    text = "<p>aäßЯ①あ가€😀\x1b$B\x0e\x0f\x85\udc80</p>"
    raw = encoded(text, name, f"{media}; charset={name}")
    assert raw.decode(name, "replace").replace("\ufeff", "").startswith("<p>a")


@pytest.mark.parametrize("name", [name for name in sorted(CODECS) if name.startswith("iso2022")])
def test_s19_what_is_typed_switches_no_charset(name: str) -> None:
    """ESC went through: `value="…"` behind it was read as kanji, up to a quote of the visitor's."""
    raw = encoded("\x1b$B\x0e\x0f", name, "text/html")
    assert raw == b"&#65533;$B&#65533;&#65533;"


def test_what_a_charset_lacks_is_an_error_that_names_it() -> None:
    with pytest.raises(
        ValueError, match=r"'text/csv; charset=koi8-r'.* contains 'ä', .* use charset=utf-8"
    ):
        encoded("Я;ä", "koi8-r", "text/csv; charset=koi8-r")
