"""What visitors are told: sentences for people, with the bounds that were declared."""

import re

import pytest

from cgikit.fields.messages import MESSAGES, known


@pytest.mark.parametrize("code", MESSAGES)
def test_a_message_is_a_sentence_and_names_only_bounds(code: str) -> None:
    message = MESSAGES[code]
    assert re.match(r"(Please|This) .*\.$", message)
    assert set(re.findall(r"{(\w*)}", message)) <= {"min", "max", "accept"}


def test_an_unknown_code_is_named_with_those_that_there_are() -> None:
    known(MESSAGES)
    with pytest.raises(
        ValueError, match="'reqired' is not the code of a message; use one of required"
    ):
        known(["reqired"])
