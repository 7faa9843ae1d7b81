"""One file, rewritten."""

import pytest
from migrate.rewriting import migrated

from cgikit.migrate import escape
from cgikit.migrate.edits import Edit
from cgikit.migrate.rewrite import rewrite
from cgikit.migrate.source import NotMigrated
from cgikit.migrate.work import Rewritten


def test_the_rules_that_were_applied_are_counted() -> None:
    program = b"import cgi\ncgi.escape(a)\ncgi.escape(b)\ncgi.parse(c)\n"
    assert rewrite(program).applied == {"escape": 2, "compat": 1}


def test_two_scopes_have_each_their_imports() -> None:
    program = "import cgi\ncgi.test()\ndef f():\n    import cgi\n    return cgi.escape(x)\n"
    assert migrated(program) == (
        "from cgikit.compat import cgi\ncgi.test()\n"
        "def f():\n    import html\n    return html.escape(x, quote=False)\n"
    )


def test_what_would_be_no_program_is_never_handed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Rewritten(None, [Edit(0, 0, "if\n")])
    monkeypatch.setattr(escape, "rewrite", lambda work, group, use: broken)
    with pytest.raises(NotMigrated, match="would not be a valid program"):
        rewrite(b"import cgi\ncgi.escape(a)\n")
