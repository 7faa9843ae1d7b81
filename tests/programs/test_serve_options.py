"""Programs that need an option of `cgikit serve`: what is no script by itself, or lies elsewhere."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from requirement import need
from servers.curl import curl
from serving import Server, serve

from .gitweb import SCRIPT
from .site import run

PHP = r"""<?php
echo json_encode([$_SERVER["SCRIPT_NAME"], $_SERVER["PATH_INFO"] ?? "", $_GET, $_POST]), "\n";
"""
INDEX = """#!/bin/sh
printf 'Content-Type: text/plain\\n\\nindex %s\\n' "$SCRIPT_NAME"
"""
OPTIONS = ("--static", "--index", "index.cgi", "--run", ".php=php-cgi", "--follow", "gitweb.cgi")


@pytest.fixture(scope="module", params=["cold", "warm"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A directory as Debian's packages and PHP's users have it, with gitweb's own link."""
    for program in ("git", "perl", "php-cgi", SCRIPT):
        need(program)
    place = tmp_path_factory.mktemp("options")
    root = place / "www"
    (root / "static").mkdir(parents=True)
    (root / "static" / "gitweb.css").write_bytes(
        Path(SCRIPT).with_name("static").joinpath("gitweb.css").read_bytes()
    )
    (root / "gitweb.cgi").symlink_to(SCRIPT)
    (root / "page.php").write_text(PHP)
    (root / "index.cgi").write_text(INDEX)
    (root / "index.cgi").chmod(0o755)
    run("git", "init", "-q", "--bare", place / "projects" / "one.git", cwd=place, home=place)
    config = place / "gitweb.conf"
    config.write_text(f'$projectroot = "{place}/projects";\n1;\n')
    options = [*OPTIONS, "--env", "GITWEB_CONFIG", *["--warm"] * (request.param == "warm")]
    with serve(root, *options, environment={"GITWEB_CONFIG": str(config)}) as started:
        yield started


def test_a_link_to_the_installed_gitweb_is_followed(server: Server) -> None:
    page = curl(f"{server.url}gitweb.cgi")
    assert (page.status, "one.git" in page.text) == (200, True), page.text
    assert "static/gitweb.css" in page.text


def test_its_style_sheet_is_sent(server: Server) -> None:
    sheet = curl(f"{server.url}static/gitweb.css")
    assert (sheet.status, sheet.header("content-type")) == (200, "text/css; charset=utf-8")
    assert sheet.body == Path(SCRIPT).with_name("static").joinpath("gitweb.css").read_bytes()


def test_php_runs_without_a_first_line(server: Server) -> None:
    answer = curl(f"{server.url}page.php/x?a=1", "--data", "b=2")
    assert (answer.status, answer.json()) == (200, ["/page.php", "/x", {"a": "1"}, {"b": "2"}])


def test_no_word_of_the_query_is_an_option_of_php(server: Server) -> None:
    """CVE-2012-1823: `?-s` showed the source."""
    assert curl(f"{server.url}page.php?-s").json()[0] == "/page.php"


def test_the_index_script_answers_for_its_directory(server: Server) -> None:
    assert curl(server.url).text == "index /index.cgi\n"
