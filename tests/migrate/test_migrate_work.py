"""What the rules hand back."""

import pytest

from cgikit.migrate.bindings import groups
from cgikit.migrate.code import Code
from cgikit.migrate.work import Need, Work


@pytest.mark.parametrize(
    ("need", "binds", "part"),
    [
        (Need("urllib.parse"), "urllib", ""),
        (Need("html", "escape"), "escape", "escape"),
        (Need("html", "escape", "e"), "e", "escape as e"),
    ],
)
def test_an_import_and_what_it_binds(need: Need, binds: str, part: str) -> None:
    assert (need.binds, need.part) == (binds, part)


def test_a_note_is_kept_once() -> None:
    code = Code("import cgi\ncgi.maxlen\n")
    work = Work(code, groups(code), False, lambda name: False)
    work.note(1, "x", "y")
    work.note(1, "x", "y")
    assert len(work.notes) == 1
    assert [use.member for use in work.uses("cgi", "maxlen")] == ["maxlen"]
