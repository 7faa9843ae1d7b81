"""The form in which a request is changed."""

import re

from inspecting import inspected

from cgikit.inspector.asking import Draft
from cgikit.inspector.editpage import edit_page

EVIL = "</textarea><script>\"'&"


def page(**given) -> str:  # type: ignore[no-untyped-def]
    return edit_page(7, Draft(inspected(**given)), "token").decode()


def test_nothing_of_a_request_is_markup() -> None:
    from urllib.parse import quote

    text = page(
        target=f"/{EVIL}?{quote(EVIL)}={quote(EVIL)}",
        method=EVIL,
        headers=(("X", EVIL), ("User-Agent", EVIL)),
        body=f"{quote(EVIL)}={quote(EVIL)}%0A".encode(),
        content_type="application/x-www-form-urlencoded",
    )
    assert "<script" not in text
    raw = page(method="POST", body=EVIL.encode(), content_type="text/plain")
    assert "<script" not in raw


def test_every_field_has_a_name_for_a_screen_reader() -> None:
    text = page(
        target="/x?a=1",
        method="POST",
        body=b"b=2%0A3",
        content_type="application/x-www-form-urlencoded",
    )
    labels = set(re.findall(r'<label for="(\w+)"', text))
    for tag in re.findall(r"<(?:input|textarea|select) [^>]*>", text):
        if 'type="hidden"' not in tag:
            found = re.search(r' id="(\w+)"', tag)
            assert "aria-label=" in tag or (found and found[1] in labels), tag


def test_an_unusual_method_stays() -> None:
    assert "<option selected>PURGE</option>" in page(method="PURGE")
    assert "<option selected>PUT</option>" in page(method="PUT")
