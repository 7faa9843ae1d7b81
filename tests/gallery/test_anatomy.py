"""The anatomy of a request: what it shows is what came and what it sends, escaped, and no secret."""

import html
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cgikit.testing import Client

from .loading import copied, load


@pytest.fixture
def anatomy() -> Any:
    return load("anatomy")


@pytest.fixture
def client(anatomy: Any) -> Client:
    return Client(anatomy.anatomy, script_name="/cgi-bin/anatomy.py")


def blocks(page: str) -> list[str]:
    found = re.findall(r"<pre>(.*?)</pre>", page, re.S)
    return [html.unescape(re.sub(r"</?mark>", "", block)) for block in found]


def test_the_raw_query_is_beside_the_fields(client: Client) -> None:
    page = client.get("/a/path?word=caf%C3%A9+%26&tea=1&tea=2").text
    sent, raw, _ = blocks(page)
    assert sent.startswith("GET /cgi-bin/anatomy.py/a/path?word=caf%C3%A9+%26&tea=1&tea=2 HTTP/1.")
    assert raw == "word=caf%C3%A9+%26&tea=1&tea=2"
    assert '<th scope="row">word</th><td>café &amp;</td>' in page
    assert page.count('<th scope="row">tea</th>') == 2
    assert '<th scope="row">PATH_INFO</th><td>/a/path</td>' in page


def test_the_raw_body_is_beside_its_fields(client: Client) -> None:
    page = client.post("?from=form", data={"name": "Ada <b>", "tea": "1"}).text
    assert "name=Ada+%3Cb%3E&tea=1" in blocks(page)[2]
    assert '<th scope="row">name</th><td>Ada &lt;b&gt;</td>' in page
    assert '<th scope="row">from</th><td>form</td>' in page
    assert "22 bytes" in page


def test_a_file_is_shown_in_its_part(client: Client) -> None:
    page = client.post(data={"title": "x"}, files={"file": ("<i>.txt", b"a\x00\xff\xc3\xa9")}).text
    raw = blocks(page)[2]
    assert 'filename="<i>.txt"' in raw
    assert "a\\x00\\xffé" in raw
    assert "<td>&lt;i&gt;.txt: 5 bytes" in page


def test_what_is_long_is_cut(client: Client, anatomy: Any) -> None:
    page = client.post(content=b"x" * 100_000, headers={"Content-Type": "text/plain"}).text
    assert f"… and {100_000 - anatomy.MOST_SHOWN} more" in page
    assert len(page) < 60_000


CANARY = "canary7"


@pytest.mark.parametrize(
    "asking",
    [
        {"path": f"?password={CANARY}"},
        {"path": f"?p%61ssword={CANARY}&a=1"},
        {"headers": {"Cookie": f"a={CANARY}; session-1={CANARY}"}},
        {"headers": {"Cookie": CANARY}},
        {"headers": {"Referer": f"http://127.0.0.1/?token={CANARY}"}},
        {"headers": {"X-Api-Key": CANARY}},
        {"environ": {"HTTP_AUTHORIZATION": f"Basic {CANARY}", "DB_URL": CANARY}},
    ],
)
def test_no_secret_of_a_get_is_shown(client: Client, asking: dict[str, Any]) -> None:
    answer = client.get(asking.pop("path", ""), **asking)
    assert answer.status == 200
    assert CANARY not in answer.text


@pytest.mark.parametrize(
    "sending",
    [
        {"data": {"Password": CANARY, "x": "y"}},
        {"data": {"password": f"1\r\n\r\n{CANARY}"}, "files": {"f": ("x", b"y")}},
        {"json": {"password": CANARY}},
        {
            "content": f'{{"password":\n\n"{CANARY}"}}',
            "headers": {"Content-Type": "application/json"},
        },
        {
            "content": f'--x\nContent-Disposition: form-data; name="password"\n\n{CANARY}\n--x--',
            "headers": {"Content-Type": "multipart/form-data; boundary=x"},
        },
        {
            "content": f'--x\r\nContent-Disposition: form-data; name="password"\r\n{CANARY}',
            "headers": {"Content-Type": "multipart/form-data; boundary=x"},
        },
        {"content": f"password={CANARY}\r\n", "headers": {"Content-Type": "text/plain"}},
    ],
)
def test_no_secret_of_a_body_is_shown(client: Client, sending: dict[str, Any]) -> None:
    answer = client.post(**sending)
    assert answer.status == 200
    assert "CONTENT_LENGTH says" in answer.text
    assert CANARY not in answer.text


def test_nothing_of_a_visitor_is_markup(client: Client) -> None:
    evil = "<script>x"
    page = client.post(
        f"/{evil}?<script>x=<script>x",
        data={evil: evil},
        headers={"User-Agent": evil, "Cookie": f"{evil}=1", "X-Note": evil},
    ).text
    assert "<script" not in page
    assert page.count("&lt;script&gt;x") > 5


def test_a_broken_form_is_shown_with_what_is_wrong(client: Client) -> None:
    answer = client.post(
        content=b"--x\r\nbroken", headers={"Content-Type": "multipart/form-data; boundary=x"}
    )
    assert answer.status == 200
    assert "--x\nbroken" in blocks(answer.text)[0]
    assert 'class="errors"' in answer.text


@pytest.mark.parametrize("body", [b"", b"flavour=oatmeal&name=a"])
def test_the_header_that_it_shows_is_the_one_that_it_prints(tmp_path: Path, body: bytes) -> None:
    script = copied("anatomy", tmp_path)
    environ = {"REQUEST_METHOD": "POST", "SCRIPT_NAME": "/anatomy.py", "SERVER_NAME": "localhost"}
    environ |= {"SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "QUERY_STRING": "a=1"}
    form = {"CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": "application/x-www-form-urlencoded"}
    done = subprocess.run(
        [script], env=environ | form, input=body, capture_output=True, check=True, cwd=tmp_path
    )
    head, _, page = done.stdout.replace(b"\r\n", b"\n").partition(b"\n\n")
    told = blocks(page.decode())[-1].partition("\nthe empty line\n")[0].split("\n")
    printed = head.decode().split("\n")
    assert [line for line in told if "Set-Cookie" not in line] == [
        line for line in printed if "Set-Cookie" not in line
    ]
    assert ("Set-Cookie: flavour=••••••" in told) == bool(body)
    assert f"Content-Length: {len(page)}" in printed
