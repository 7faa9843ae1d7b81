"""What a name that is shown, and a location, may not hold; and how it is shown elsewhere."""

import unicodedata

import pytest

from cgikit.characters import printable, refused


def test_every_character_but_these_may_be_in_a_name() -> None:
    found = [code for code in range(0x110000) if refused(chr(code))]
    controls = [code for code in range(0x110000) if unicodedata.category(chr(code)) == "Cc"]
    halves = [*range(0xD800, 0xE000)]
    assert found == sorted(
        [*controls, *halves, 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
    )


@pytest.mark.parametrize("text", ["{}ab", "a{}b", "ab{}", "\u202f{}"])
def test_one_is_found_wherever_it_stands(text: str) -> None:
    assert refused(text.format("\u202e")) == "\u202e"
    assert refused(text.format("\u202f")) == ""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ü €\t", "plain ü €\t"),
        ("a\r\nb", r"a\r\nb"),
        ("\x1b[2J\x00", r"\x1b[2J\x00"),
        ("\u202egnp\udcff\U000e0001", r"\u202egnp\udcff\U000e0001"),
    ],
)
def test_what_does_not_print_is_shown_as_an_escape(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_what_stays_is_for_the_caller_to_say() -> None:
    assert printable("a\tb\nc", keep="\n") == "a\\tb\nc"
    assert printable("a\tb\nc", keep="") == r"a\tb\nc"
