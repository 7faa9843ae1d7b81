"""The dialogue in a page: line ends, the blank line, what is cut, what is hidden."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties import any_texts

from cgikit.tracing.dialogue import KEPT, Dialogue
from cgikit.tracing.dialoguepage import is_binary, section

POST = {"REQUEST_METHOD": "POST", "CONTENT_TYPE": "application/x-www-form-urlencoded"}


class Reader(HTMLParser):
    """What a browser reads: the tags, and that each is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read(markup: str) -> Reader:
    reader = Reader()
    reader.feed(markup)
    reader.close()
    assert reader.open == []
    return reader


def text(dialogue: Dialogue, script: str = "/x/a.py") -> str:
    return read(section(dialogue, script)).text


def printed(output: bytes, length: int = 0) -> str:
    return text(Dialogue({}, stdout=output, stdout_length=length))


def test_the_header_block_has_its_line_ends_and_its_blank_line() -> None:
    found = printed(b"Content-Type: text/plain\r\nX-Odd: 1\n\r\nHello\n\nyou")
    assert "Content-Type: text/plainCRLF\nX-Odd: 1LF\nthe blank line CRLF: here" in found
    assert "ends\nHello\n\nyouWhat the server makes of it" in found
    assert "Status 200 OK" in found


def test_no_blank_line_is_said() -> None:
    found = printed(b"<h1>Hello</h1>\n")
    assert "There is no blank line" in found
    assert re.search("makes of it50[02]: ", found)


def test_an_empty_header_block_and_no_output() -> None:
    assert "the blank line LF" in printed(b"\nHello")
    assert "There was no output. A server answers 500." in printed(b"")
    assert "no body" in printed(b"Status: 204\n\n")


def test_what_a_server_makes_of_a_redirect() -> None:
    assert "A local redirect to /other.py" in printed(b"Location: /other.py\n\n")
    assert "Status 302 Found" in printed(b"Location: https://example.org/\n\n")


def test_binary_output_is_hexadecimal() -> None:
    found = printed(b"Content-Type: image/png\n\n\x89PNG\0\0" + b"<" * 1_000)
    assert "0000 89 50 4e 47 00 00 3c 3c .PNG..<<" in found
    assert "00f8 3c" in found
    assert "0100 3c" not in found
    assert "Cut: of 1,006 bytes, only the beginning is shown." in found


@pytest.mark.parametrize(
    ("data", "binary"),
    [
        (b"", False),
        (b"plain", False),
        ("Grüße".encode("latin-1") + b" and more", True),
        ("a long sentence, in which one word is Grün".encode("latin-1"), False),
        ("é".encode() * 512 + b"a", False),
        (b"a" + "é".encode() * 1_000, False),  # the last one is cut in half
        (b"a\0b", True),
        (bytes(range(128, 256)), True),
    ],
)
def test_what_is_binary(data: bytes, binary: bool) -> None:
    assert is_binary(data) is binary


def test_large_streams_are_cut_and_it_is_said() -> None:
    large = Dialogue(
        {f"HTTP_X_{n}": "v" * 9_999 for n in range(5_000)} | {"PATH": "p" * 9_999},
        b"i" * KEPT,
        10_000_000,
        b"A: b\n" * 500 + b"\n" + b"o" * (KEPT - 2_501),
        10_000_000,
        b"e" * KEPT,
        -9,
    )
    markup = section(large, "a.py")
    assert len(markup) < 200_000
    found = read(markup).text
    assert "Cut: of 10,000,000 bytes" in found
    assert "Cut: of 9,997,499 bytes" in found
    assert "400 more lines" in found
    assert "4801 more variables are not shown." in found
    assert "killed by signal 9" in found


def test_secrets_are_hidden_wherever_they_are() -> None:
    secret = "hunter2222"
    found = text(
        Dialogue(
            {**POST, "HTTP_COOKIE": f"id={secret}", "API_KEY": secret, "QUERY_STRING": "q=1"},
            f"name=Ada&password={secret}".encode(),
            0,
            f"Set-Cookie: id=other-secret\nX-Is: {secret}\n\n{secret} in the body".encode(),
            0,
            f"{secret} in the log".encode(),
        )
    )
    assert secret not in found
    assert "other-secret" not in found
    assert "name=Ada&password=(hidden)" in found


def test_a_secret_in_binary_output_is_hidden() -> None:
    secret = "hunter2222"
    found = text(Dialogue({"API_KEY": secret}, stdout=b"A: b\n\n\0" + secret.encode()))
    assert b"hunter".hex(" ") not in found


HOSTILE = st.one_of(
    any_texts,
    st.sampled_from(["</script>", "<!--", "]]>", "</pre>", "\ud800", "'\"><svg onload=x>"]),
)
STREAM = st.one_of(
    st.binary(max_size=300),
    st.lists(
        st.sampled_from(
            [b"\r", b"\n", b"\r\n", b"\0", b":", b"</pre><script>", b"Status: 200", b"x"]
        ),
        max_size=30,
    ).map(b"".join),
)


@given(st.dictionaries(HOSTILE, HOSTILE, max_size=4), STREAM, STREAM, STREAM, HOSTILE)
def test_it_is_whole_whatever_was_said(
    variables: dict[str, str], stdin: bytes, stdout: bytes, stderr: bytes, script: str
) -> None:
    for known in ({}, POST):
        markup = section(Dialogue({**variables, **known}, stdin, 0, stdout, 0, stderr), script)
        markup.encode()
        assert read(markup).tags <= set(
            "h2 h3 p b div span pre table caption tbody tr th td details summary code".split()
        )
