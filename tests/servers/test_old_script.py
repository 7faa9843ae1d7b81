"""A script of 2008 under every server, unmodified: `cgikit vendor cgi` is the one step."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cgikit import vendoring

from .curl import curl
from .server import Server

NAME = "guestbook2008.py"


@pytest.fixture
def vendored(server: Server) -> Iterator[Server]:
    """The server, with `cgi.py` and `cgitb.py` beside its scripts."""
    new = vendoring.write(str(server.directory))
    for path in new:
        Path(path).chmod(0o644)
    try:
        yield server
    finally:
        vendoring.remove(str(server.directory))


def test_an_old_script_runs_as_it_is(vendored: Server, tmp_path: Path) -> None:
    jar, photo = str(tmp_path / "jar"), tmp_path / "cat.png"
    photo.write_bytes(bytes(range(256)) * 1_000)
    url = vendored.url(NAME)
    first = curl(url, "--cookie-jar", jar)
    assert first.status == 200, vendored.error_log()
    assert "You have been here 1 time(s)" in first.text
    signed = curl(
        url, "--cookie", jar, "--cookie-jar", jar, "--form", "action=sign", "--form", "name=Jürgen",
        "--form", "message=Grüße", "--form", "colour=red", "--form", "colour=blue",
        "--form", f"photo=@{photo}",
    )  # fmt: skip
    assert signed.status == 200, vendored.error_log()
    assert "Thank you!" in signed.text
    shown = curl(f"{url}?from=J", "--cookie", jar).text
    assert "<h3>Jürgen</h3>" in shown
    assert "<p>Likes red,blue</p>" in shown
    assert "cat.png (image/png, 256000 bytes)" in shown
    saved = vendored.directory / "data" / "guestbook" / "photos" / "cat.png"
    assert saved.read_bytes() == photo.read_bytes()


def test_the_statuses_of_an_old_script_arrive(vendored: Server) -> None:
    refused = curl(vendored.url(NAME), "--data", "action=sign&name=&message=x")
    assert refused.status == 400, vendored.error_log()
    assert "Please tell us your name." in refused.text
