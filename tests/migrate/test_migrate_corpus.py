"""Scripts as they are still out there, run before and after: the answers are the same.

Before: with the modules `cgi` and `cgitb`. After: rewritten by `cgikit migrate`, without them. The same
requests, and the same bytes in the answers and in the files that the scripts keep.
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from migrate.answers import SCRIPTS, Answer, Runner, requests, runner

from cgikit.migrate.rewrite import rewrite

#: What needs nothing of the old modules any more, under --unsafe.
FREE = """
    addition calculator cookies counter docs_example dropdown escape escape_from
    escape_html_taken fallback getfirst getlist globals guestbook hello hello_py3 keep_blank
    keys latin1 local_import login mail_form paging parse_header parse_qs radio redirect
    textarea todo unused unused_from upload_text_known upload_value
""".split()

OLD_IMPORT = re.compile(rb"^\s*(?:import\s.*\bcgi(?:tb)?\b|from\s+cgi(?:tb)?\s)", re.M)


@pytest.fixture(scope="module")
def old() -> Iterator[Runner]:
    with runner("old") as running:
        yield running


@pytest.fixture(scope="module")
def new() -> Iterator[Runner]:
    with runner("new") as running:
        yield running


@cache
def rewritten(script: Path, *, unsafe: bool) -> bytes:
    data = script.read_bytes()
    found = rewrite(data, unsafe=unsafe).data
    return data if found is None else found


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_script_answers_as_before(script: Path, old: Runner, new: Runner, tmp_path: Path) -> None:
    asked = requests(script)
    before = old.answers(script.read_bytes(), asked, tmp_path / "before")
    assert [one.code for one in before] == [0] * len(asked), before
    for level in ("safe", "unsafe"):
        data = rewritten(script, unsafe=level == "unsafe")
        after = new.answers(data, asked, tmp_path / level)
        assert [comparable(one) for one in after] == [comparable(one) for one in before], (
            level, after, data.decode("latin-1")
        )  # fmt: skip


def comparable(answer: Answer) -> tuple[bytes, int, dict[str, bytes]]:
    return answer.output, answer.code, answer.files


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_nothing_of_the_old_modules_is_left(script: Path) -> None:
    data = rewritten(script, unsafe=False)
    left = OLD_IMPORT.findall(re.sub(rb"cgikit\.compat(\.cgi(tb)?)? import \w+.*", b"", data))
    assert left == ([b"    from cgi "] if script.stem == "fallback" else [])


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_second_time_changes_nothing(script: Path) -> None:
    once = [rewritten(script, unsafe=unsafe) for unsafe in (False, True)]
    assert [rewrite(d, unsafe=u).data for d, u in zip(once, (False, True), strict=True)] == [
        None
    ] * 2
    later = rewrite(once[0], unsafe=True).data or once[0]
    assert sorted(later.splitlines()) == sorted(once[1].splitlines())


def test_the_corpus_is_large_enough_and_half_of_it_gets_free() -> None:
    assert len(SCRIPTS) >= 40
    free = [s.stem for s in SCRIPTS if b"cgikit.compat" not in rewritten(s, unsafe=True)]
    assert free == FREE
    assert len(free) >= 15
