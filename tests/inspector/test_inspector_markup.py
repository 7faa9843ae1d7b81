"""Pieces of pages: everything is escaped."""

from cgikit.inspector import markup

EVIL = "<b>\"'&\x1b\u202e"
MARKED = "&lt;b&gt;&quot;&#x27;&amp;\\x1b\\u202e"


def test_everything_is_escaped() -> None:
    assert markup.text(EVIL) == MARKED
    for piece in (
        markup.table(EVIL, [(EVIL, EVIL)]),
        markup.table(EVIL, [], EVIL),
        markup.button(EVIL, EVIL, EVIL),
        markup.refusal(404, EVIL, EVIL).decode(),
    ):
        assert "<b>" not in piece.replace("<b>400", "")
        assert MARKED in piece
    assert "<b>" not in markup.stream(EVIL, EVIL, 8, True)
    assert "<b>" not in markup.copy(EVIL, EVIL) + markup.copy(EVIL, "", EVIL)


def test_a_long_stream_is_folded_and_a_cut_one_says_so() -> None:
    assert "<details>" in markup.stream("Output", "x" * 5_000, 5_000, False)
    short = markup.stream("Output", "x", 1, False)
    assert "<details>" not in short
    assert "(1 byte)" in short
    assert "the stream has 70,000 bytes" in markup.stream("Output", "x", 70_000, True)
    assert "empty" in markup.stream("Output", "", 0, False)


def test_a_text_that_cannot_be_encoded_is_still_a_page() -> None:
    assert markup.page("\ud800", "\ud800").endswith(b"</html>\n")


def test_durations_and_sizes_are_words() -> None:
    assert markup.milliseconds(0.01234) == "12.3 ms"
    assert markup.milliseconds(1.5) == "1.50 s"
    assert markup.bytes_of(1) == "1 byte"
    assert markup.bytes_of(2_000) == "2,000 bytes"


def test_a_command_that_cannot_be_given_says_why() -> None:
    assert "<textarea" not in markup.copy("As curl", "curl", "it has a control character")
    assert "<textarea readonly" in markup.copy("As curl", "curl", note="without secrets")
