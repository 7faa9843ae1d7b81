"""Bodies are what browsers send: forms, files, and their escapes."""

import io

import pytest

from cgikit.formbody import multipart, urlencoded


def test_an_urlencoded_body_is_what_a_browser_sends() -> None:
    assert urlencoded({"a": ["1\n2", "ü &"]}) == b"a=1%0D%0A2&a=%C3%BC+%26"


def test_what_is_not_utf_8_is_sent_as_it_is() -> None:
    body, _ = multipart({"\udcff": "\udcfe"}, {})
    assert b'name="\xff"\r\n\r\n\xfe\r\n' in body
    assert urlencoded({"\udcff": "\udcfe"}) == b"%FF=%FE"


def test_a_multipart_body_is_what_a_browser_sends() -> None:
    body, kind = multipart({"a": "1\n2"}, {"u": ("x.txt", b"hi")})
    boundary = kind.partition("boundary=")[2]
    assert kind.startswith("multipart/form-data; boundary=----cgikitForm")
    assert body.decode() == (
        f'--{boundary}\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n2\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="u"; filename="x.txt"\r\n'
        f"Content-Type: text/plain\r\n\r\nhi\r\n--{boundary}--\r\n"
    )
    assert (body, kind) == multipart({"a": "1\n2"}, {"u": ("x.txt", b"hi")})


@pytest.mark.parametrize(
    ("file", "head", "content"),
    [
        (b"x", 'filename="upload"\r\nContent-Type: application/octet-stream', b"x"),
        ("é", 'filename="upload"\r\nContent-Type: application/octet-stream', "é".encode()),
        (("a.png", b"x"), 'filename="a.png"\r\nContent-Type: image/png', b"x"),
        (("a", b"x", "x/y"), 'filename="a"\r\nContent-Type: x/y', b"x"),
        (("", b""), 'filename=""\r\nContent-Type: application/octet-stream', b""),
        (("a", io.BytesIO(b"x")), 'filename="a"\r\n', b"x"),
        (('a"\r\n.txt', b"x"), 'filename="a%22%0D%0A.txt"\r\nContent-Type: text/plain', b"x"),
    ],
)
def test_the_forms_of_a_file(file, head, content) -> None:
    body, _ = multipart({}, {"u": file})
    assert f'name="u"; {head}'.encode() in body
    assert b"\r\n\r\n" + content + b"\r\n--" in body


def test_an_open_file_brings_its_name(tmp_path) -> None:
    (tmp_path / "cat.jpg").write_bytes(b"\xff\xd8")
    with open(tmp_path / "cat.jpg", "rb") as file:
        body, _ = multipart({}, [("u", file)])
    assert b'filename="cat.jpg"\r\nContent-Type: image/jpeg\r\n\r\n\xff\xd8\r\n' in body


def test_what_is_no_file_is_an_error() -> None:
    with pytest.raises(TypeError, match="the file 'u' is a int"):
        multipart({}, {"u": 3})
