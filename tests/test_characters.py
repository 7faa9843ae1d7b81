"""What a name that is shown, and a location, may not hold."""

import unicodedata

import pytest

from cgikit.characters import refused


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
