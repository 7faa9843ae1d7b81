"""What scripts print: R13 to R24, R42, R44, R46, R47; httpd's and Go's behaviours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgikit.host.output import (
    MAX_HEADER,
    MAX_LINE,
    LocalRedirect,
    NPHParser,
    OutputParser,
    ScriptResponse,
)
from cgikit.host.problem import Problem

Result = ScriptResponse | LocalRedirect | Problem


def feed(parser: OutputParser, chunks: list[bytes]) -> tuple[Result, bytes]:
    """The result, and all of the body."""
    for index, chunk in enumerate(chunks):
        try:
            result = parser.feed(chunk)
        except Problem as problem:
            return problem, b""
        if result is not None:
            return result, result.rest + b"".join(chunks[index + 1 :])
    return parser.end(), b""


def parse(output: bytes, parser: type[OutputParser] = OutputParser) -> Result:
    """The result, which must be the same however the output is cut (whole, bytes, with a tail)."""
    whole, body = feed(parser(), [output])
    for size in (1, 2, 7):
        chunks = [output[i : i + size] for i in range(0, len(output), size)]
        cut, cut_body = feed(parser(), chunks)
        assert key(cut) == key(whole)
        assert cut_body == body
    return whole


def key(result: Result) -> object:
    if isinstance(result, ScriptResponse):
        return result.status, result.reason, result.headers
    if isinstance(result, LocalRedirect):
        return result.target
    return result.status, result.what, result.fix, result.evidence


def response(output: bytes, parser: type[OutputParser] = OutputParser) -> ScriptResponse:
    result = parse(output, parser)
    assert isinstance(result, ScriptResponse), result
    return result


def problem(output: bytes, parser: type[OutputParser] = OutputParser) -> Problem:
    result = parse(output, parser)
    assert isinstance(result, Problem), result
    assert result.status == 500
    return result


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_r15_r47_document(end: bytes) -> None:
    output = end.join([b"Content-Type: text/plain", b"X-A:  b ", b"", b"body\r\n\nmore"])
    found = response(output)
    assert (found.status, found.reason) == (200, "OK")
    assert found.headers == (("Content-Type", "text/plain"), ("X-A", "b"))
    assert found.rest == b"body\r\n\nmore"


def test_mixed_line_ends() -> None:
    assert response(b"Content-Type: a/b\r\nX: y\n\nbody").rest == b"body"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (b"404", (404, "Not Found")),
        (b"404 Gone fishing", (404, "Gone fishing")),
        (b"299", (299, "Unknown")),
        (b"599 X", (599, "X")),
    ],
)
def test_r22_status(status: bytes, expected: tuple[int, str]) -> None:
    found = response(b"Status: " + status + b"\nContent-Type: a/b\n\n")
    assert (found.status, found.reason) == expected


@pytest.mark.parametrize(
    "status",
    [b"OK", b"", b"4040", b"404Not", b"100 Continue", b"600", b"-1", b"2e2", b"\xb2\xb3\xb9"],
)
def test_a_status_that_is_no_number(status: bytes) -> None:
    assert "Status" in problem(b"Status: " + status + b"\nContent-Type: a/b\n\n").what


def test_r16_r45_local_redirect() -> None:
    assert parse(b"Location: /a?b\n\nrest") == LocalRedirect("/a?b", b"rest")
    assert parse(b"X-CGI-Thing: 1\nLocation: /a\n\n") == LocalRedirect("/a")


@pytest.mark.parametrize(
    "location", [b"http://h/", b"//h/a", b"/\\h/a", b"relative", b"mailto:x@y"]
)
def test_r17_r46_client_redirect(location: bytes) -> None:
    found = response(b"Location: " + location + b"\n\n")
    assert (found.status, found.reason) == (302, "Found")
    assert found.headers == (("Location", location.decode()),)


@pytest.mark.parametrize("more", [b"Set-Cookie: a=b", b"Content-Type: a/b", b"Status: 303"])
def test_a_path_with_other_fields_is_for_the_client(more: bytes) -> None:
    found = response(b"Location: /a\n" + more + b"\n\n")
    assert found.status == (303 if more.startswith(b"Status") else 302)
    assert ("Location", "/a") in found.headers


def test_r18_client_redirect_with_document() -> None:
    found = response(b"Status: 307 Go\nLocation: http://h/\nContent-Type: a/b\n\nbody")
    assert (found.status, found.reason, found.rest) == (307, "Go", b"body")


def test_an_empty_location() -> None:
    assert "Location" in problem(b"Location:\n\n").what


def test_r23_r24_fields_that_are_not_for_the_client() -> None:
    found = response(
        b"Content-Type: a/b\nConnection: close\nTransfer-Encoding: chunked\nKeep-Alive: 1\n"
        b"X-CGI-Private: 1\nUpgrade: x\nServer: me\nTE: x\nTrailer: x\nX-Kept: 1\n\n"
    )
    assert found.headers == (("Content-Type", "a/b"), ("X-Kept", "1"))


def test_content_length() -> None:
    assert response(b"Content-Type: a/b\nContent-Length: 007\n\n").content_length == 7
    assert response(b"Content-Type: a/b\n\n").content_length is None
    same = response(b"Content-Type: a/b\nContent-Length: 7\nContent-Length: 7\n\n")
    assert same.headers.count(("Content-Length", "7")) == 1
    for bad in (b"-1", b"", b"x", b"1_0", b"7\nContent-Length: 8", b"9" * 30, b"\xb2"):
        assert (
            "Content-Length" in problem(b"Content-Type: a/b\nContent-Length: " + bad + b"\n\n").what
        )


def test_values_are_passed_byte_by_byte() -> None:
    found = response("Content-Type: a/b\nX: ü\n\n".encode())
    assert dict(found.headers)["X"].encode("latin-1") == "ü".encode()


def test_r13_nothing() -> None:
    assert problem(b"").what == "The script printed nothing."


def test_no_blank_line() -> None:
    found = problem(b"Content-Type: text/html\n<p>hello\n\nworld")
    assert found.what == "There is no blank line after the headers."
    assert found.evidence == "line 2: <p>hello"


@pytest.mark.parametrize("line", ["X Y: 1", "Dear all: hello"])
def test_a_header_name_with_a_space_is_not_said_to_lack_a_blank_line(line: str) -> None:
    """The blank line was there. Text with a colon looks the same: the fix is for both."""
    found = problem(f"Content-Type: text/html\n{line}\n\n".encode())
    assert found.what == f"{line.partition(':')[0]!r} is not a valid header name."
    assert "print an empty line before it" in found.fix
    assert found.evidence == f"line 2: {line}"


def test_no_blank_line_before_markup_with_a_colon() -> None:
    found = problem(b'Content-Type: text/html\n<p style="color: red">\n\n')
    assert found.what == "There is no blank line after the headers."


@pytest.mark.parametrize("output", [b"Hello\n", b"\nContent-Type: a/b\n\n", b"\x00\n", b"Hello"])
def test_no_headers(output: bytes) -> None:
    assert problem(output).what == "The output does not begin with headers."


def test_cut_headers() -> None:
    found = problem(b"Content-Type: text/html\nX: y")
    assert found.what == "The output ends before the blank line after the headers."
    assert "X: y" in found.evidence


def test_r19_space_before_the_colon() -> None:
    found = problem(b"Content-Type : text/html\n\n")
    assert found.what == "A header has a space before its colon."


def test_r19_a_continued_line() -> None:
    assert "blank line" in problem(b"Content-Type: text/html;\n charset=utf-8\n\n").what


@pytest.mark.parametrize("name", [b"Content-Type", b"Status", b"LOCATION"])
def test_r19_a_cgi_field_twice(name: bytes) -> None:
    assert "2 times" in problem(name + b": 200\n" + name.lower() + b": 200\n\n").what


@pytest.mark.parametrize("control", [b"\0", b"\r", b"\x1b", b"\x7f"])
def test_control_characters_in_values(control: bytes) -> None:
    assert "control" in problem(b"Content-Type: a/b\nX: a" + control + b"b\n\n").what


def test_r44_no_type() -> None:
    assert "neither Content-Type" in problem(b"X-A: b\n\nbody").what


def test_a_status_line_from_an_ordinary_script() -> None:
    assert "NPH" in problem(b"HTTP/1.1 200 OK\nContent-Type: a/b\n\n").what


def test_limits() -> None:
    line = b"X: " + b"y" * (MAX_LINE - 3)
    assert response(b"Content-Type: a/b\n" + line + b"\n\n").status == 200
    assert "longer" in feed(OutputParser(), [line + b"y"])[0].what  # before its end, in flat memory
    assert "longer" in problem(b"Content-Type: a/b\n" + line + b"y\n\n").what
    many = (line + b"\n") * (MAX_HEADER // len(line) + 1)
    assert "larger" in problem(b"Content-Type: a/b\n" + many + b"\n").what


def test_r42_nph() -> None:
    found = response(b"HTTP/1.0 299 Own words\r\nX: y\r\nServer: me\r\n\r\nbody", NPHParser)
    assert (found.status, found.reason, found.rest) == (299, "Own words", b"body")
    assert found.headers == (("X", "y"),)
    assert response(b"HTTP/1.1 204\n\n", NPHParser).reason == "No Content"


@pytest.mark.parametrize(
    "output", [b"Content-Type: a/b\n\n", b"HTTP/2 200\n\n", b"HTTP/1.1 100 Go on\n\n", b"\n", b""]
)
def test_nph_that_is_none(output: bytes) -> None:
    problem(output, NPHParser)


def test_nph_with_a_transfer_coding() -> None:
    output = b"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n0\n\n"
    assert "transfer coding" in problem(output, NPHParser).what


pieces = st.sampled_from(
    [
        b"Content-Type: a/b",
        b"Status: 204",
        b"Status: x",
        b"Location: /a",
        b"Location: http://h/",
        b"HTTP/1.1 200 OK",
        b"Content-Length: 3",
        b"\n",
        b"\n",
        b"\r\n",
        b"\r",
        b":",
        b" ",
        b"\0",
        b"body",
        b"\xff",
    ]
)
outputs = st.one_of(st.binary(max_size=60), st.lists(pieces, max_size=12).map(b"".join))


@given(outputs, st.lists(st.integers(1, 9), max_size=20), st.booleans())
def test_any_output_gives_a_response_or_a_problem_however_it_is_cut(
    output: bytes, sizes: list[int], nph: bool
) -> None:
    parser = NPHParser if nph else OutputParser
    chunks, start = [], 0
    for size in sizes:
        chunks.append(output[start : start + size])
        start += size
    chunks.append(output[start:])
    whole, body = feed(parser(), [output])
    cut, cut_body = feed(parser(), chunks)
    assert (key(cut), cut_body) == (key(whole), body)
    if isinstance(whole, ScriptResponse):
        assert 200 <= whole.status <= 599
        text = "".join([whole.reason, *(n + v for n, v in whole.headers)])
        assert not any(ord(c) < 32 and c != "\t" for c in text)  # S1: nothing to inject with


fields = st.tuples(
    st.from_regex(r"X-[A-Z][a-z]{0,8}", fullmatch=True),
    st.text(
        st.characters(min_codepoint=33, max_codepoint=255, exclude_characters="\x7f"), max_size=9
    ),
)


@given(st.integers(200, 599), st.lists(fields, max_size=5), st.binary(max_size=30))
def test_what_a_script_formats_is_what_is_read(
    status: int, headers: list[tuple[str, str]], body: bytes
) -> None:
    lines = [f"Status: {status} Because", "Content-Type: a/b", *(f"{n}: {v}" for n, v in headers)]
    found = response("\n".join([*lines, "", ""]).encode("latin-1") + body)
    assert (found.status, found.reason, found.rest) == (status, "Because", body)
    assert found.headers == (("Content-Type", "a/b"), *headers)
