"""What runs of real scripts show: the kind, the line of the script, and the fix."""

import os
import re
import sys
from pathlib import Path

import pytest

from cgikit.checking.account import Account
from cgikit.checking.finding import Finding
from cgikit.probing.judge import judge
from cgikit.probing.sample import Sample, run_sample

HEAD = 'print("Content-Type: text/html; charset=utf-8\\n")\n'
PLAIN = 'print("Content-Type: text/plain\\n")\n'


def look(
    place: Path, source: str, method: str = "GET", *, name: str = "a.py", first: str = ""
) -> list[Finding]:
    file = place / name
    file.write_text(f"#!{first or sys.executable}\n{source}")
    file.chmod(0o755)
    return judge(str(file), run_sample(str(file), method, Account.current(), 60))


def test_a_page_that_is_right_has_no_finding(tmp_path: Path) -> None:
    assert look(tmp_path, HEAD + "print('<p>é')") == []


@pytest.mark.parametrize(
    ("source", "kind", "line", "words"),
    [
        (
            'print("Content-Type: text/html")\nprint("<p>Hi")\n',
            "no-blank-line",
            3,
            "Line 3 of a.py",
        ),
        ('print("Content-Type: text/html")\n', "no-blank-line", 2, "before the blank line"),
        ('print("Hello")\n' + HEAD, "output-before-header", 2, "Line 2 of a.py"),
        ("x = 1\n", "no-output", 0, "printed nothing"),
        ('print("X-A: 1\\n")\n', "no-content-type", 2, "neither Content-Type"),
        ('print("Status: OK\\n")\n', "bad-status", 2, "not a number"),
        ('print("Location: \\n")\n', "empty-location", 0, "empty"),
        ('print("Content-Type : text/html\\n")\n', "space-before-colon", 2, "space"),
        ('print("HTTP/1.1 200 OK\\n")\n', "status-line", 2, "status line"),
    ],
)
def test_a_header_block_that_is_wrong(
    tmp_path: Path, source: str, kind: str, line: int, words: str
) -> None:
    (found,) = look(tmp_path, source)
    assert (found.kind, found.is_error, found.line) == (kind, True, line)
    assert words in found.what
    assert found.fix


def test_a_crash_before_the_header(tmp_path: Path) -> None:
    (found,) = look(tmp_path, "def f():\n    return {}['x']\n\nf()\n")
    assert (found.kind, found.line) == ("crash", 3)
    assert found.evidence == "KeyError: 'x'"
    assert found.what == "a.py exited with status 1 before it printed anything, in line 3."


def test_a_crash_in_an_answer(tmp_path: Path) -> None:
    found = look(tmp_path, HEAD + "print('<p>', flush=True)\n1 / 0\n")
    assert [each.kind for each in found] == ["crash-in-answer"]
    assert (found[0].line, found[0].evidence) == (4, "ZeroDivisionError: division by zero")


def test_a_crash_of_perl_has_its_line_too(tmp_path: Path) -> None:
    (found,) = look(tmp_path, 'my $x;\ndie "oops";\n', name="a.pl", first="/usr/bin/perl")
    assert (found.kind, found.line) == ("crash", 3)
    assert "oops" in found.evidence


def test_a_signal_is_named(tmp_path: Path) -> None:
    (found,) = look(tmp_path, "import os\nos.kill(os.getpid(), 9)\n")
    assert "was killed by signal 9" in found.what


def test_an_endless_loop_has_its_line(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text(f"#!{sys.executable}\nn = 0\nwhile True:\n    n += 1\n")
    file.chmod(0o755)
    (found,) = judge(str(file), run_sample(str(file), "GET", Account.current(), 1))
    assert found.kind == "endless"
    assert found.line in (3, 4)
    assert f"It was in line {found.line}." in found.what


def test_a_shell_that_does_not_end_is_said_to(tmp_path: Path) -> None:
    file = tmp_path / "a.sh"
    file.write_text("#!/bin/sh\nexec sleep 1000\n")
    file.chmod(0o755)
    (found,) = judge(str(file), run_sample(str(file), "GET", Account.current(), 1))
    assert (found.kind, found.line) == ("endless", 0)


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        (PLAIN, "no-charset"),
        ('print("Content-Type: text/html; charset=utf-9\\n")\n', "unknown-charset"),
        ('print("Content-Type: text/html; charset=undefined\\n")\nprint("x")\n', "unknown-charset"),
        (HEAD + "import sys\nprint('x', file=sys.stderr)", "standard-error"),
        ('print("Location: /x\\n\\nbody")\n', "body-of-redirect"),
        ('print("Status: 304\\nContent-Type: text/html; charset=utf-8\\n\\nx")', "body-of-status"),
    ],
)
def test_what_is_advice(tmp_path: Path, source: str, kind: str) -> None:
    (found,) = look(tmp_path, source)
    assert (found.kind, found.is_error) == (kind, False)


def test_a_body_for_head_is_advice(tmp_path: Path) -> None:
    (found,) = look(tmp_path, HEAD + "print('<p>')", "HEAD")
    assert (found.kind, found.is_error, found.rule) == (
        "body-of-head",
        False,
        "RFC 3875 section 4.3.3",
    )


@pytest.mark.parametrize("length", [1, 100])
def test_a_length_that_lies(tmp_path: Path, length: int) -> None:
    source = f'print("Content-Type: text/plain; charset=utf-8\\nContent-Length: {length}\\n\\nabc")'
    (found,) = look(tmp_path, source)
    assert (found.kind, found.is_error) == ("wrong-content-length", True)
    assert found.what == f"a.py announces {length} bytes and prints 4."


def test_a_charset_that_lies(tmp_path: Path) -> None:
    source = HEAD.replace(")\n", ", flush=True)\n") + "import os\nos.write(1, b'caf\\xe9')\n"
    (found,) = look(tmp_path, source)
    assert (found.kind, found.is_error) == ("wrong-charset", True)
    assert "caf\\xe9" in found.evidence


def test_an_nph_script_is_read_as_one(tmp_path: Path) -> None:
    source = 'print("HTTP/1.1 200 OK\\nContent-Type: text/plain; charset=utf-8\\n\\nx")\n'
    assert look(tmp_path, source, name="nph-a.py") == []
    (found,) = look(tmp_path, HEAD, name="nph-b.py")
    assert found.kind == "nph-status-line"


def test_the_removed_module_has_its_way_out(tmp_path: Path) -> None:
    (found,) = look(tmp_path, "raise ModuleNotFoundError(\"No module named 'cgi'\")")
    assert "cgikit migrate" in found.fix


def test_a_long_output_is_not_judged_beyond_what_is_kept(tmp_path: Path) -> None:
    assert look(tmp_path, HEAD + "print('é' * 1_000_000)") == []
    (found,) = look(tmp_path, "print('x' * 2_000_000)")
    assert found.kind == "header-too-long"


def test_no_file_is_changed(tmp_path: Path) -> None:
    look(tmp_path, HEAD)
    assert sorted(os.listdir(tmp_path)) == ["a.py"]


@pytest.mark.parametrize(
    ("source", "line", "fix"),
    [
        ("import sys\nsys.stdout.reconfigure(encoding='ascii')\nprint('é')\n", 4, "reconfigure"),
        ("print('\\ud83d')\n", 2, "bytes that are not UTF-8"),
    ],
)
def test_a_character_that_the_output_s_encoding_does_not_have(
    tmp_path: Path, source: str, line: int, fix: str
) -> None:
    (found,) = look(tmp_path, source)
    assert (found.kind, found.is_error, found.line) == ("unicode-encode-error", True, line)
    assert found.evidence.startswith("UnicodeEncodeError: ")
    assert fix in found.fix


@pytest.mark.parametrize(
    ("meta", "is_wrong"),
    [
        ("<meta charset=latin-1>", True),
        ("<META CHARSET='iso-8859-1'>", True),
        ('<meta http-equiv="Content-Type" content="text/html; charset=cp1252">', True),
        ("<meta charset=nonsense>", True),
        ("<meta charset=UTF8>", False),
        ('<meta charset="utf-8">', False),
        ("<meta name=author><p>charset=latin-1", False),
        (f"{'x' * 1_024}<meta charset=latin-1>", False),
    ],
)
def test_a_meta_that_names_another_charset(tmp_path: Path, meta: str, is_wrong: bool) -> None:
    found = look(tmp_path, HEAD + f"print({meta!r})\n")
    assert [each.kind for each in found] == ["meta-charset"] * is_wrong
    assert not any(each.is_error for each in found)


def sampled(**seen: bool) -> list[Finding]:
    sample = Sample("POST")
    sample.output = b"Content-Type: text/plain; charset=utf-8\n\n"
    sample.size = len(sample.output)
    for name, value in seen.items():
        assert hasattr(sample, name)
        setattr(sample, name, value)
    return judge("/a.py", sample)


def test_what_outlives_a_script_is_advice() -> None:
    (found,) = sampled(left_open=True, left_running=True)
    assert (found.kind, found.is_error) == ("output-left-open", False)
    assert "DEVNULL" in found.fix
    (found,) = sampled(left_running=True)
    assert (found.kind, found.is_error) == ("left-processes", False)


def test_one_that_reads_beyond_the_body_is_told_so() -> None:
    (found,) = sampled(waited=True)
    assert (found.kind, found.is_error, found.rule) == (
        "reads-beyond",
        False,
        "RFC 3875 section 4.2",
    )


HANDLERS = {
    "raises": ("    1 / 0\n", "server-error", 4, "ZeroDivisionError: division by zero"),
    "prints": ("    print('x')\n", "server-error", 4, "the handler printed 'x'"),
    "keeps its log": ("    1 / 0\nrun(page, log='log')\n", "server-error", 0, ""),
    "breaks off": (
        (
            "    def parts():\n        yield 'a'\n        raise KeyError('b')\n"
            "    return Response(parts(), content_type='text/html; charset=utf-8')\n"
        ),
        "crash-in-answer",
        6,
        "KeyError: 'b'",
    ),
}


@pytest.mark.parametrize("name", HANDLERS)
def test_an_error_page_of_cgikit_is_an_error(tmp_path: Path, name: str) -> None:
    """Its exit status is 0: `check` found nothing wrong, or that there were lines on standard error."""
    body, kind, line, evidence = HANDLERS[name]
    source = f"from cgikit import Response, run\ndef page(request):\n{body}"
    (found,) = look(tmp_path, source + ("" if "run(page" in body else "run(page)\n"))
    assert (found.kind, found.is_error, found.line) == (kind, True, line)
    assert evidence in found.evidence
    assert (f"Correct line {line} of a.py" if line else "Look into the log") in found.fix


@pytest.mark.parametrize(
    "source",
    [
        'print("Content-Type: text/html\\n\\n<!DOCTYPE html><meta charset=utf-8><p>x")\n',
        'print("Content-Type: text/event-stream\\n\\ndata: x\\n")\n',
    ],
)
def test_text_that_says_its_charset_itself_needs_none_in_the_header(
    tmp_path: Path, source: str
) -> None:
    assert look(tmp_path, source) == []


@pytest.mark.parametrize(("status", "is_error"), [("500 x", True), ("503 x", False)])
def test_a_script_that_says_that_it_failed(tmp_path: Path, status: str, is_error: bool) -> None:
    (found,) = look(tmp_path, f'print("Status: {status}")\n{HEAD}')
    assert (found.kind, found.is_error) == ("server-error", is_error)
    assert f"answers {status} to GET" in found.what


@pytest.mark.parametrize(
    ("seconds", "is_cut_short", "is_error"),
    [(2.0, True, False), (3.5, True, True), (2.0, False, True)],
)
def test_one_that_had_little_time_may_only_be_slow(
    seconds: float, is_cut_short: bool, is_error: bool
) -> None:
    sample = Sample("GET")
    sample.is_late, sample.seconds = True, seconds
    sample.errors = ['  File "/a.py", line 4 in f', '  File "/a.py", line 9 in <module>']
    (found,) = judge("/a.py", sample, is_cut_short=is_cut_short)
    assert (found.kind, found.is_error, found.line) == ("endless", is_error, 4)
    assert ("check it alone" in found.fix) is is_cut_short


PERL = "a.pl: BEGIN failed--compilation aborted at /a.pl line 7."


@pytest.mark.parametrize(
    ("output", "errors", "evidence", "fix"),
    [
        (b"", ["Can't locate CGI/Session.pm in @INC (you may …) at /a.pl line 7.", PERL],
         "Can't locate CGI/Session.pm", "Install the Perl module CGI::Session "),
        (b"", ["Bareword found at /a.pl line 7.", PERL], "Bareword found", "Correct line 7"),
        (b"", [PERL], "a.pl: BEGIN failed", "Correct line 7"),
        (b"", ["AttributeError: module 'cgi' has no attribute 'escape'"], "AttributeError",
         "html.escape"),
        (b"Content-Type: text/html; charset=utf-8\n\nx\nNo config.\n", [], "No config.",
         "It wrote nothing to its standard error"),
    ],
)  # fmt: skip
def test_a_crash_is_shown_by_the_line_that_names_it(
    output: bytes, errors: list[str], evidence: str, fix: str
) -> None:
    """Of a Perl module that is missing, the evidence was "BEGIN failed", and nothing said which."""
    sample = Sample("GET")
    sample.status, sample.output, sample.size, sample.errors = 2, output, len(output), errors
    (found,) = judge("/a.pl", sample)
    assert found.evidence.startswith(evidence)
    assert fix in found.fix


def test_the_warning_of_a_module_that_goes_away_has_its_way_out() -> None:
    sample = Sample("GET")
    sample.output = b"Content-Type: text/plain; charset=utf-8\n\n"
    sample.size = len(sample.output)
    sample.errors = ["/a.py:2: DeprecationWarning: 'cgi' is deprecated and slated for removal"]
    (found,) = judge("/a.py", sample)
    assert (found.kind, found.is_error) == ("standard-error", False)
    assert "cgikit migrate --write" in found.fix


def test_the_page_has_the_section_of_each_mistake_in_a_header_block() -> None:
    root = Path(__file__).parents[2]
    code = (root / "cgikit/host/output.py").read_text()
    known = dict(re.findall(r'kind="([a-z-]+)",\s+rule="([^"]*)"', code))
    page = (root / "docs/reference/check.md").read_text()
    shown = re.findall(r"^\| `([a-z-]+)` \| [^|]+ \| ?([^|]*?) ?\|$", page, re.M)
    assert len(known) > 10
    assert dict(shown) == known
