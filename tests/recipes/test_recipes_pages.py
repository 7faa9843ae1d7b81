"""Recipes that make pages: templates, a live page, shared code; and what holds for all recipes."""

import http.client
import re
import subprocess
import sys
from pathlib import Path

import pytest
from serving import serve

from recipes.recipe import RECIPES, put, sources, visitor

# --- all of them -------------------------------------------------------------------------------


def test_every_script_is_clean_for_the_linter_and_no_longer_than_a_screen_or_two(
    tmp_path: Path,
) -> None:
    for name, text in sources().items():
        (tmp_path / name).write_text(text)
        assert len(text.splitlines()) <= 64, name
    rules = "--select=E,F,B,C4,SIM,UP", "--ignore=E402", "--line-length=104"
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--isolated", *rules, tmp_path],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_every_whole_page_has_a_language_a_title_and_a_width_for_phones() -> None:
    for name, text in sources().items():
        for page in re.findall(r"<!DOCTYPE html>(.{150})", text, re.S):
            assert page.replace("\\n", "\n").startswith(
                '\n<html lang="en"><meta name="viewport"'
            ), name
            assert "<title>" in page or name == "layout.py", name


def test_every_handler_says_what_it_takes() -> None:
    for name, text in sources().items():
        for handler in re.findall(r"^    run\((?:\w+\()?(\w+)", text, re.M):
            assert f"def {handler}(request: Request):" in text, name


def test_what_is_no_page_is_not_run_for_visitors(tmp_path: Path) -> None:
    for name in sources():
        put(tmp_path, name)
    others = [name for name, text in sources().items() if not text.startswith("#!")]
    assert {"accounts.py", "nightly.py", "send_mail.py", "work.py"} <= set(others)
    with serve(tmp_path) as server:
        for name in others:
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
            connection.request("GET", f"/{name}?words")
            assert connection.getresponse().status == 403, name
            connection.close()
    assert not (tmp_path / "data").exists()


# --- templates ---------------------------------------------------------------------------------

NASTY = ["<script>alert(1)</script>", "$title", "{{ 7*7 }}", "{% raw %}", "\"'&", "ü\u2028☃"]


@pytest.mark.parametrize("script", ["plain.py", "jinja.py"])
def test_what_visitors_sent_is_text_in_both(tmp_path: Path, script: str) -> None:
    page = (RECIPES / "templates.md").read_text()
    plain, jinja = re.findall(r"```html\n(.*?)```", page, re.S)
    (tmp_path / "page.html").write_text(plain)
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "guests.html").write_text(jinja)
    (tmp_path / "guests.txt").write_text("".join(f"{text}\n" for text in NASTY))
    client = visitor(put(tmp_path, script))
    shown = client.get(params={"title": "$rows {{ guests }} <b>"}).text
    assert "<h1>$rows {{ guests }} &lt;b&gt;</h1>" in shown
    assert shown.count("<li>") == len(NASTY)
    assert "<script>" not in shown
    for text in ("$title", "{{ 7*7 }}", "{% raw %}"):
        assert f"<li>{text}\n" in shown


@pytest.mark.parametrize("script", ["plain.py", "jinja.py"])
def test_a_name_without_a_value_is_no_hole_in_the_page(tmp_path: Path, script: str) -> None:
    (tmp_path / "page.html").write_text("$title $more $rows")
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "guests.html").write_text("{{ more }}")
    client = visitor(put(tmp_path, script))
    client.raise_errors = False
    assert client.get().status == 500


# --- the live page -----------------------------------------------------------------------------


def test_a_reader_gets_each_line_once_and_nothing_of_an_unfinished_one(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    news = tmp_path / "data" / "news.txt"
    news.write_text("one\nt")
    put(tmp_path, "live.py")
    with serve(tmp_path) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        connection.request("GET", "/live.py?follow")
        answer = connection.getresponse()
        assert next_data(answer) == ("4", "one")
        with news.open("a") as file:
            file.write("wo\n<b>three</b>\n")
        assert next_data(answer) == ("8", "two")
        assert next_data(answer) == ("21", "<b>three</b>")
        connection.close()
        connection.request("GET", "/live.py?follow", headers={"Last-Event-ID": "4"})
        assert next_data(connection.getresponse()) == ("8", "two")
        connection.close()


def next_data(answer: http.client.HTTPResponse) -> tuple[str, str]:
    """The id and the data of the next event."""
    fields: dict[str, str] = {}
    while line := answer.readline():
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name:
            fields[name] = value
        elif "data" in fields:
            return fields["id"], fields["data"]
    raise AssertionError("the answer has ended")


@pytest.mark.parametrize("last", ["-1", "x", "9" * 16, "1.5", "²"])
def test_a_position_that_cannot_be_is_refused(tmp_path: Path, last: str) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "news.txt").write_text("one\n")
    script = put(tmp_path, "live.py", {"SECONDS = 240": "SECONDS = 0"})
    assert visitor(script).get("?follow", headers={"Last-Event-ID": last}).status == 400


def test_a_page_without_news_waits_for_them(tmp_path: Path) -> None:
    script = put(tmp_path, "live.py", {"SECONDS = 240": "SECONDS = 0.1"})
    answer = visitor(script).get("?follow")
    assert (answer.status, "data:" in answer.text) == (200, False)


def test_a_position_beyond_the_file_begins_again(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "news.txt").write_text("one\n")
    script = put(tmp_path, "live.py", {"SECONDS = 240": "SECONDS = 1"})
    assert "data: one" in visitor(script).get("?follow", headers={"Last-Event-ID": "999"}).text


# --- shared code -------------------------------------------------------------------------------


def test_the_module_is_found_from_wherever_and_has_no_address(tmp_path: Path) -> None:
    for folder, name in (("cgi-bin", "hello.py"), ("lib", "layout.py")):
        (tmp_path / folder).mkdir()
        put(tmp_path / folder, name)
    done = subprocess.run(
        [sys.executable, str(tmp_path / "cgi-bin" / "hello.py"), "name=<b>"],
        cwd="/", capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert "Hello, &lt;b&gt;!" in done.stdout
    with serve(tmp_path / "cgi-bin") as server:
        for path, status in (("/hello.py", 200), ("/layout.py", 404), ("/../lib/layout.py", 400)):
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
            connection.request("GET", path)
            assert connection.getresponse().status == status, path
            connection.close()


# --- secrets -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "status"),
    [(0o600, 200), (0o400, 200), (0o640, 200), (0o644, 500), (0o660, 500), (0o602, 500)],
)
def test_a_secret_that_others_can_read_or_change_is_not_used(
    tmp_path: Path, mode: int, status: int
) -> None:
    file = tmp_path / "weather-key"
    file.write_text("t0ps3cr3t\nnot this line\n")
    file.chmod(mode)
    client = visitor(put(tmp_path, "weather.py", {"/srv/secrets/weather-key": str(file)}))
    client.raise_errors = False
    answer = client.get()
    assert answer.status == status
    assert ("9 characters" in answer.text) is (status == 200)
    assert "t0ps3cr3t" not in answer.text
