"""The parts of a request, as cgikit's own parsers read them."""

from inspecting import inspected

from cgikit.host.output import LocalRedirect, ScriptResponse
from cgikit.host.problem import Problem
from cgikit.inspector.parts import Parts, header_block

FORM = "application/x-www-form-urlencoded; charset=utf-8"
BODY = (
    b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    b'--b\r\nContent-Disposition: form-data; name="f"; filename="x.txt"\r\n'
    b"Content-Type: text/plain\r\n\r\ncontent\r\n--b--\r\n"
)
MULTIPART = "multipart/form-data; boundary=b"


def test_query_form_and_cookies_are_apart() -> None:
    headers = (("Cookie", "c=d; e=f"),)
    parts = Parts(
        inspected(
            "/x?a=1&a=2", method="POST", headers=headers, body=b"a=3&b=%C3%A9", content_type=FORM
        )
    )
    assert parts.query == [("a", "1"), ("a", "2")]
    assert parts.form == [("a", "3"), ("b", "é")]
    assert parts.cookies == [("c", "d"), ("e", "f")]
    assert (parts.files, parts.why) == ([], {})
    assert parts.fields == [*parts.query, *parts.form]


def test_files_are_apart() -> None:
    parts = Parts(inspected(method="POST", body=BODY, content_type=MULTIPART))
    assert parts.form == [("a", "1")]
    (file,) = parts.files
    assert (file.name, file.filename, file.content_type, file.content) == (
        "f",
        "x.txt",
        "text/plain",
        b"content",
    )


def test_a_part_that_cannot_be_read_says_why() -> None:
    cut = Parts(inspected(method="POST", body=BODY, content_type=MULTIPART, room=20))
    assert "beginning" in cut.why["form"]
    broken = Parts(inspected(method="POST", body=BODY[:60], content_type=MULTIPART))
    assert broken.why["form"]
    many = Parts(inspected("/x?" + "a&" * 5_000))
    assert "fields" in many.why["query"]


def test_a_body_that_the_script_did_not_read_is_not_a_form() -> None:
    exchange = inspected(method="POST", body=b"", content_type=FORM)
    object.__setattr__(exchange.request, "content_length", 10)
    assert "did not read" in Parts(exchange).why["form"]


def test_other_bodies_are_no_form() -> None:
    parts = Parts(inspected(method="PUT", body=b"{}", content_type="application/json"))
    assert (parts.form, parts.files, parts.media_type) == ([], [], "application/json")


def test_the_header_block_is_what_the_host_made_of_it() -> None:
    def block(output: bytes, file: str = "/srv/x.py") -> object:
        return header_block(inspected(stdout=output, file=file).runs[0])

    answer = block(b"Status: 404 Gone\nContent-Type: text/plain\n\nx")
    assert isinstance(answer, ScriptResponse)
    assert (answer.status, answer.reason) == (404, "Gone")
    assert isinstance(block(b"Location: /other\n\n"), LocalRedirect)
    assert isinstance(block(b"Hello\n"), Problem)
    assert isinstance(block(b"Content-Type: text/html\n"), Problem)
    assert isinstance(block(b"HTTP/1.1 200 OK\n\n", "/srv/nph-x.py"), ScriptResponse)
