"""Server push: parts that replace each other, each whole and of its own type."""

import email
import io
import re
from collections.abc import Iterator
from email.policy import HTTP
from pathlib import Path
from typing import Any

import pytest
from child import environment

from cgikit import Request, Response


def request(**variables: str) -> Request:
    return Request(environment(**variables))


def sent(response: Response, **variables: str) -> bytes:
    out = io.BytesIO()
    response.send(out, request(**variables))
    return out.getvalue()


def parts(answer: bytes) -> list[tuple[str, str, bytes]]:
    """The type, the length and the body of each part, as Python's own parser of MIME reads them."""
    message = email.message_from_bytes(answer, policy=HTTP)
    assert message.get_content_type() == "multipart/x-mixed-replace"
    assert not message.defects
    found = []
    for part in message.iter_parts():
        assert not part.defects
        kind = part["Content-Type"].replace('"', "")
        found.append((kind, part["Content-Length"], part.get_payload(decode=True)))
    return found


def test_the_parts_are_pages_and_pictures(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(b"file")
    answer = sent(Response.push([
        "<p>gr\xfcn</p>",
        Response(b"\x89PNG\r\n--\r\n\r\n", content_type="image/png"),
        Response.text(""),
        Response.file(path),
        Response.stream(iter(["a", "b"])),
    ]))  # fmt: skip
    assert parts(answer) == [
        ("text/html; charset=utf-8", "12", "<p>grün</p>".encode()),
        ("image/png", "12", b"\x89PNG\r\n--\r\n\r\n"),
        ("text/plain; charset=utf-8", "0", b""),
        ("text/plain; charset=utf-8", "4", b"file"),
        ("text/html; charset=utf-8", "2", b"ab"),
    ]


def test_the_whole_answer() -> None:
    answer = sent(Response.push(["<p>1"]))
    found = re.search(rb"boundary=(\w{32})\n", answer)
    assert found
    assert answer.replace(found[1], b"BOUNDARY") == (
        b"Cache-Control: no-store, no-transform\n"
        b"X-Accel-Buffering: no\n"
        b"Content-Type: multipart/x-mixed-replace; boundary=BOUNDARY\n\n"
        b"--BOUNDARY\r\n"
        b"Content-Type: text/html; charset=utf-8\r\n"
        b"Content-Length: 4\r\n\r\n"
        b"<p>1\r\n"
        b"--BOUNDARY--\r\n"
    )


def test_no_page_is_an_answer_without_parts() -> None:
    answer = sent(Response.push([]))
    assert re.search(rb"\n\n--(\w{32})--\r\n$", answer)


def test_the_boundary_follows_a_part_at_once() -> None:
    """Browsers show a part when its end has come, which would be with the next one."""
    _, fields, body = Response.push(["<p>1", "<p>2"]).answer(request())
    boundary = dict(fields)["Content-Type"].partition("boundary=")[2].encode()
    assert [piece.endswith(b"--" + boundary) for piece in body] == [True, True, True, False]


def test_no_two_answers_have_one_boundary() -> None:
    found = {dict(Response.push([]).answer(request())[1])["Content-Type"] for _ in range(20)}
    assert len(found) == 20


def test_a_page_with_the_boundary_is_not_sent() -> None:
    """Somebody who has read the header of the answer can write it into a later page."""
    known: list[str] = []

    def pages() -> Iterator[str]:
        yield "<p>1"
        yield f"x\r\n--{known[0]}\r\nContent-Type: text/html\r\n\r\n<script>"

    response = Response.push(pages())
    _, fields, body = response.answer(request())
    known.append(dict(fields)["Content-Type"].partition("boundary=")[2])
    got: list[bytes] = []
    with pytest.raises(ValueError, match="contains the boundary"):
        got.extend(body)
    assert b"".join(got).endswith(b"<p>1\r\n--" + known[0].encode())


@pytest.mark.parametrize(
    "page",
    [Response("x", status=404), Response.redirect("/x"), Response.local_redirect("/x")],
    ids=["status", "redirect", "local redirect"],
)
def test_what_cannot_be_a_part_is_refused(page: Response) -> None:
    with pytest.raises(ValueError, match="has a type and status 200; give such a page"):
        sent(Response.push([page]))


@pytest.mark.parametrize("coding", ["gzip", "identity"])
def test_a_page_whose_bytes_are_encoded_is_refused(coding: str) -> None:
    """Its bytes were sent, without the field that says how to read them."""
    page = Response(b"\x1f\x8b", content_type="text/html", headers={"Content-Encoding": coding})
    with pytest.raises(ValueError, match=f"has the Content-Encoding '{coding}'.*give the page wi"):
        sent(Response.push([page]))


@pytest.mark.parametrize("page", [b"bytes", None, 7, ("image/png", b"")])
def test_a_page_of_another_type_is_named(page: Any) -> None:
    with pytest.raises(TypeError, match=r"a page is .*; give HTML \(str\) or a Response"):
        sent(Response.push([page]))


@pytest.mark.parametrize("given", ["<p>", b"x", {}, None, Response("x")])
def test_one_page_instead_of_many_is_refused_before_anything_is_sent(given: Any) -> None:
    with pytest.raises(TypeError, match="give an iterable of pages"):
        Response.push(given)


def test_the_body_of_each_page_is_closed() -> None:
    class Body:
        closed = 0

        def __iter__(self) -> Iterator[str]:
            return iter("ab")

        def close(self) -> None:
            Body.closed += 1

    sent(Response.push(Response.stream(Body()) for _ in range(3)))
    assert Body.closed == 3
