"""The sources of scripts in the inspector: of scripts alone, and to a browser on this machine alone."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from inspecting import Looker
from serving import serve

from cgikit.host.problem import Problem
from cgikit.host.rules import NONE
from cgikit.html import escape
from cgikit.inspector.sourcepage import MAX_SOURCE, source_page

SOURCE = '#!/bin/sh\n# <script>alert("&")</script>\n\tprintf "Content-Type: text/plain\\n\\nok"\n'
#: A file name.
ODD = 'a "<b>& %20.sh'


def script(file: Path, source: bytes = SOURCE.encode()) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(source)
    file.chmod(0o755)


@pytest.fixture
def looker(tmp_path: Path) -> Iterator[Looker]:
    script(tmp_path / "x.sh")
    script(tmp_path / "sub" / ODD)
    script(tmp_path / "broken.sh", b"#!/bin/sh\nexit 1\n")
    (tmp_path / "secret.txt").write_text("4711")
    with serve(tmp_path) as server:
        yield Looker(server)


def test_the_index_and_the_page_of_a_fault_lead_to_the_source(looker: Looker) -> None:
    assert '<a href="/_cgikit/source/x.sh"' in looker.ask("/").text
    link = "/_cgikit/source/sub/" + quote(ODD, safe="&")
    listed = looker.ask("/sub/").text
    assert f'<a href="{escape(link)}" aria-label="View source of {escape(ODD)}"' in listed
    page = looker.ask(link)
    assert (page.status, "&lt;script&gt;alert(&quot;&amp;&quot;)" in page.text) == (200, True)
    assert '<a href="/_cgikit/source/broken.sh">View source</a>' in looker.ask("/broken.sh").text


def test_each_line_has_its_number_and_can_be_linked_to(looker: Looker) -> None:
    page = looker.ask("/_cgikit/source/x.sh")
    assert '<span id="L1">#!/bin/sh\n</span><span id="L2">' in page.text
    assert '<span id="L3">        printf' in page.text
    assert "L4" not in page.text
    assert '<a href="/x.sh">Run it</a>' in page.text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("secret.txt", 403),
        ("nothing.sh", 404),
        ("", 404),
        ("sub", 404),
        ("..%2f..%2fetc%2fpasswd", 404),
        ("%00", 400),
        (".hidden", 404),
    ],
)
def test_what_is_no_script_has_no_source(looker: Looker, path: str, status: int) -> None:
    page = looker.ask(f"/_cgikit/source/{path}")
    assert (page.status, "4711" in page.text) == (status, False)


def test_only_a_browser_that_shows_the_page_gets_it(looker: Looker) -> None:
    """A script of a served page could read it else, and with it what the source knows."""
    for fields in (
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-origin", "sec_fetch_mode": "cors", "sec_fetch_dest": "empty"},
        {"host": "evil.example"},
        {"service_worker_navigation_preload": "true"},
    ):
        page = looker.ask("/_cgikit/source/x.sh", **fields)
        assert (page.status, "printf" in page.text) == (403, False)


def test_a_long_source_is_cut_and_a_program_has_none(tmp_path: Path) -> None:
    script(tmp_path / "long", b"#!/bin/sh\n" + b"a" * MAX_SOURCE)
    page = source_page(str(tmp_path), "/long", NONE)
    assert b"Cut: only the first 262,144 bytes are shown" in page
    assert page.count(b"a" * 1000) < MAX_SOURCE / 1000
    script(tmp_path / "exact", b"\xff" + b"a" * (MAX_SOURCE - 1))
    page = source_page(str(tmp_path), "/exact", NONE)
    assert (b"Cut:" in page, b"\\xffaaa" in page) == (False, True)
    script(tmp_path / "program", b"\x7fELF\0\0")
    with pytest.raises(Problem, match="compiled program"):
        source_page(str(tmp_path), "/program", NONE)


def test_a_single_script_has_its_source_at_the_root(tmp_path: Path) -> None:
    script(tmp_path / "x.sh")
    assert b'<a href="/">Run it</a>' in source_page(str(tmp_path / "x.sh"), "/", NONE)
