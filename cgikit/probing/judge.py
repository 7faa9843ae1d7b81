"""What a sample run shows: the output before the header, the missing blank line, the crash, the loop.

What a header block means is decided by `host.output`, so that the same mistake has the same words here
and on the pages of `cgikit serve`. Pure, but for a look at the source of the script.
"""

import codecs
import os
import re

from ..checking.finding import Finding
from ..host.diagnosis import (
    INCIDENT,
    crash_fix,
    crash_line,
    endless_fix,
    removed_module,
    silence_problem,
)
from ..host.output import LocalRedirect, NPHParser, OutputParser, ScriptResponse
from ..host.problem import Problem
from ..regularfile import open_regular
from .sample import MAX_OUTPUT, PATH, Sample

_MAX_SOURCE = 1_000_000  # bytes of a script that are searched
_REMEDY = "Rewrite the script with cgikit migrate --write"
_UNTOLD = "Look into the log that it writes, or at its page under cgikit serve."
_SILENT = (
    "It wrote nothing to its standard error: look at what it printed, or run it in a terminal."
)
_CONSEQUENCE = re.compile(r"BEGIN failed--|Execution of .{1,300} aborted due to compilation errors")
_NO_MODULE = re.compile(r"Can't locate ([\w/]{1,200})\.pm in @INC")
_NO_ESCAPE = re.compile(
    r"module 'cgi' has no attribute 'escape'|cannot import name 'escape' from 'cgi'"
)
_DEPRECATED = re.compile(r"DeprecationWarning: '(cgi|cgitb)' is deprecated")
_UNKNOWN = "Look at its standard error, or run it in a terminal."
_META = re.compile(rb"<meta\s[^<>]{0,200}?charset\s{0,9}=\s{0,9}[\"']?([\w.:-]{1,40})", re.I)
_PRESCANNED = 1_024  # bytes that browsers search for it (HTML, prescan a byte stream)
_TEXT = ("text/", "application/xhtml")
_BODILESS = (204, 205, 304)
_SURE = 3.0  # seconds: a script may be slow, but one that takes longer is an error


def judge(file: str, sample: Sample, *, is_cut_short: bool = False) -> list[Finding]:
    """Return what a run of a script shows (list of `Finding`), errors first. `is_cut_short` tells
    whether it had less than the usual time, since other scripts wait.
    """
    if sample.is_late:
        return [_endless(file, sample, is_cut_short)]
    found = _crash(file, sample)
    name = os.path.basename(file)
    parser = NPHParser() if name.startswith("nph-") else OutputParser()
    try:
        answer = parser.feed(sample.output)
        if answer is None and sample.size > MAX_OUTPUT:
            answer = None
        if answer is None:
            raise parser.end() if sample.output else _silence(file, sample)
    except Problem as problem:
        if found and not sample.output:
            return found  # it crashed before it printed: that is the mistake
        return [*found, _from(problem, file, sample)]
    found = found or _failed(file, sample, answer)
    return [
        *found,
        *_body(file, sample, answer),
        *_left_behind(file, sample),
        *_said(file, sample, found),
    ]


def _silence(file: str, sample: Sample) -> Problem:
    return silence_problem(file, sample.status, PATH, sample.errors, _REMEDY)


def _from(problem: Problem, file: str, sample: Sample) -> Finding:
    line = _printing_line(file, problem.evidence)
    # Of a blank line that is missing, the evidence is what stands in its place
    prints = "already prints the body" if problem.kind == "no-blank-line" else "prints it"
    where = f" Line {line} of {os.path.basename(file)} {prints}." if line else ""
    return Finding(
        problem.kind or "no-output",
        problem.what + where,
        evidence=problem.evidence,
        fix=problem.fix,
        rule=problem.rule,
        file=file,
        line=line,
    )


def _printing_line(file: str, evidence: str) -> int:
    """Return the first line of the source that has the text of the output (int), 0 if none has."""
    shown = evidence.partition("\n")[0]
    text = re.sub(r"^line \d+: ", "", shown).strip().rstrip("…")
    if len(text) < 3:
        return 0
    try:
        with open(open_regular(file, follow=True, patience=0), "rb") as stream:
            lines = stream.read(_MAX_SOURCE).splitlines()
    except OSError:
        return 0
    for number, line in enumerate(lines, 1):
        if text.encode() in line and not line.lstrip().startswith(b"#"):
            return number
    return 0


def _crash(file: str, sample: Sample) -> list[Finding]:
    """Return a finding if the script failed, with the line of it that did."""
    if not sample.status:
        return []
    name = os.path.basename(file)
    how = f"exited with status {sample.status}"
    if sample.status < 0:
        how = f"was killed by signal {-sample.status}"
    line = crash_line(file, sample.errors)
    when = "before it printed anything" if not sample.output else "after it had begun to print"
    where = f", in line {line}" if line else ""
    last = _last(sample)
    if last.startswith("UnicodeEncodeError:"):
        return [_cannot_encode(file, last, line, f"{name} {how} {when}{where}")]
    return [
        Finding(
            "crash" if not sample.output else "crash-in-answer",
            f"{name} {how} {when}{where}.",
            evidence=last or _ending(sample),
            fix=removed_module(file, sample.errors, _REMEDY)
            or _absent(sample.errors)
            or crash_fix(file, line, sample.errors)
            or (_UNKNOWN if last else _SILENT),
            rule="RFC 3875 section 3.1",
            file=file,
            line=line,
        )
    ]


def _cannot_encode(file: str, last: str, line: int, what: str) -> Finding:
    """Return a finding on a text that the encoding of a file does not have."""
    fix = (
        "Under a server, standard output is often ASCII: write "
        'sys.stdout.reconfigure(encoding="utf-8") before the first print, let the server set '
        "PYTHONIOENCODING=utf-8, or answer with cgikit's Response."
    )
    if "surrogates not allowed" in last:
        fix = "The text came from bytes that are not UTF-8: decode those with errors='replace'."
    return Finding(
        "unicode-encode-error",
        f"{what}: it prints a character that the encoding does not have.",
        evidence=last,
        fix=fix,
        rule="RFC 3875 section 6.3.1",
        file=file,
        line=line,
    )


def _failed(file: str, sample: Sample, answer: ScriptResponse | LocalRedirect) -> list[Finding]:
    """Return a finding if a script answers that it has failed, as cgikit's error page does."""
    if isinstance(answer, LocalRedirect) or answer.status < 500:
        return []
    name = os.path.basename(file)
    line = crash_line(file, sample.errors)
    where = f", because of line {line}" if line else ""
    status = f"{answer.status} {answer.reason}".rstrip()
    return [
        Finding(
            "server-error",
            f"{name} answers {status} to {sample.method}{where}.",
            is_error=answer.status == 500,
            evidence=_last(sample),
            fix=crash_fix(file, line, sample.errors) or _UNTOLD,
            rule="RFC 9110 section 15.6",
            file=file,
            line=line,
        )
    ]


def _last(sample: Sample) -> str:
    """Return the last line that a script wrote to its standard error, which names the error."""
    lines = [INCIDENT.sub("", text) for text in sample.errors]
    said = [text for text in reversed(lines) if text.strip()]
    # Perl ends with the consequence; the line above it names the error
    while len(said) > 1 and _CONSEQUENCE.search(said[0]):
        del said[0]
    return said[0][:300] if said else ""


def _ending(sample: Sample) -> str:
    """Return the last line of the output (str): a script may name its error there."""
    lines = sample.output[-2_000:].decode("utf-8", "replace").split("\n")
    return next((text.strip() for text in reversed(lines) if text.strip()), "")[:300]


def _absent(errors: list[str]) -> str:
    """Return what to do about what a script uses and the language has not, or has no more (str); "" if
    that is not why it failed.
    """
    for text in errors:
        if perl := _NO_MODULE.search(text):
            name = perl[1].replace("/", "::")
            return f"Install the Perl module {name} (cpan {name}, or the system's package of it)."
        if _NO_ESCAPE.search(text):
            return (
                "Python 3.8 removed cgi.escape: write html.escape instead (import html). "
                "cgikit migrate --write does that."
            )
    return ""


def _left_behind(file: str, sample: Sample) -> list[Finding]:
    """Return advice on processes that outlive a script, and on input that it does not own."""
    name = os.path.basename(file)
    found = []
    if sample.left_open:
        what = (
            f"{name} has ended, and a process that it started still has its standard output: a server "
            "waits for that, and so do visitors."
        )
        fix = "Start it with stdin, stdout and stderr=subprocess.DEVNULL, or wait for it."
        found.append(_advise("output-left-open", what, fix, "3.4", file))
    elif sample.left_running:
        what = f"{name} has ended, and processes that it started still ran; servers may end them."
        fix = "Wait for them, or hand the work to a queue or a service."
        found.append(_advise("left-processes", what, fix, "3.4", file))
    if sample.waited:
        what = (
            f"{name} reads more than CONTENT_LENGTH bytes of its standard input: where a server leaves "
            "that open, it waits for ever."
        )
        fix = "Read int(CONTENT_LENGTH) bytes and no more; cgikit's Request does."
        found.append(_advise("reads-beyond", what, fix, "4.2", file))
    return found


def _endless(file: str, sample: Sample, is_cut_short: bool) -> Finding:
    name = os.path.basename(file)
    line = crash_line(file, reversed(sample.errors))  # faulthandler prints the last call first
    printed = f"after {sample.size} bytes of output" if sample.size else "without any output"
    where = f" It was in line {line}." if line else ""
    more = " If it is only slow, check it alone: then it has more time." if is_cut_short else ""
    shown = f"{sample.seconds:.{1 if sample.seconds < _SURE else 0}f}"
    return Finding(
        "endless",
        f"{name} had not ended after {shown} seconds, {printed}, and was stopped.{where}",
        is_error=not is_cut_short or sample.seconds >= _SURE,
        fix=endless_fix(line) + more,
        rule="RFC 3875 section 3.1",
        file=file,
        line=line,
    )


def _bytes(size: int) -> str:
    return "1 byte" if size == 1 else f"{size} bytes"


def _body(file: str, sample: Sample, answer: ScriptResponse | LocalRedirect) -> list[Finding]:
    """Return what is wrong with a body, and with what the header block says of it."""
    name = os.path.basename(file)
    kept = answer.rest
    size = len(kept) + sample.size - len(sample.output)
    if isinstance(answer, LocalRedirect):
        if not size:
            return []
        what = f"{name} prints a body of {_bytes(size)} after a local redirect; nobody gets it."
        return [_advise("body-of-redirect", what, "Print only the Location.", "6.2.2", file)]
    found = []
    announced = answer.content_length
    if sample.method == "HEAD":
        if size:
            what = f"{name} prints a body of {_bytes(size)} for HEAD, which the server drops."
            fix = "Print the headers alone if REQUEST_METHOD is HEAD."
            found.append(_advise("body-of-head", what, fix, "4.3.3", file))
    elif announced is not None and announced != size:
        found.append(
            Finding(
                "wrong-content-length",
                f"{name} announces {announced} bytes and prints {size}.",
                fix="Let Content-Length be the length of the body in bytes, or leave it out.",
                rule="RFC 9110 section 8.6",
                file=file,
            )
        )
    if answer.status in _BODILESS and size:
        what = f"{name} prints a body with the status {answer.status}, which has none."
        found.append(_advise("body-of-status", what, "Leave the body out.", "6.2", file))
    return found + _charset(file, sample, answer, kept)


def _charset(file: str, sample: Sample, answer: ScriptResponse, kept: bytes) -> list[Finding]:
    """Return advice on text whose charset is missing or wrong."""
    types = [value for field, value in answer.headers if field.lower() == "content-type"]
    name = os.path.basename(file)
    if not types or not types[0].lower().startswith(_TEXT) or answer.status in _BODILESS:
        return []
    named = re.search(r"charset\s*=\s*\"?([\w.:-]+)", types[0], re.I)
    if named is None:
        # Both say it themselves: HTML section 4.2.5.4 and 9.2.6
        if types[0].lower().startswith("text/event-stream") or _META.search(kept[:_PRESCANNED]):
            return []
        what = f"{name} does not say the charset of its text: browsers have to guess it."
        fix = f'Print "Content-Type: {types[0].partition(";")[0]}; charset=utf-8".'
        return [_advise("no-charset", what, fix, "6.3.1", file)]
    if sample.size > len(sample.output):
        return []  # it may be cut within a character
    try:
        codec = codecs.lookup(named[1])  # an empty text is decoded by any name
        kept.decode(named[1])
    except UnicodeDecodeError as error:
        evidence = repr(kept[max(0, error.start - 20) : error.end + 20])
        what = f"{name} says that its text is {named[1]}; byte {error.start} of it is not."
        fix = "Encode what is printed as the Content-Type says."
        return [
            Finding(
                "wrong-charset",
                what,
                evidence=evidence,
                fix=fix,
                rule="RFC 3875 section 6.3.1",
                file=file,
            )
        ]
    except (LookupError, UnicodeError):
        what = f"{name} names the charset {named[1]!r}, which is not known."
        return [_advise("unknown-charset", what, "Write charset=utf-8.", "6.3.1", file)]
    return _meta(file, codec, kept) if "html" in types[0].lower() else []


def _meta(file: str, codec: codecs.CodecInfo, kept: bytes) -> list[Finding]:
    """Return advice on a `<meta charset>` that names another encoding than the header."""
    found = _META.search(kept[:_PRESCANNED])
    if found is None:
        return []
    said = found[1].decode("ascii")
    try:
        if codecs.lookup(said).name == codec.name:
            return []
    except LookupError:
        pass
    what = (
        f"{os.path.basename(file)} names the charset {said!r} in <meta> and {codec.name!r} in "
        "Content-Type: browsers take that of Content-Type."
    )
    fix = "Name the same one in both, or leave out the <meta>."
    return [_advise("meta-charset", what, fix, "6.3.1", file)]


def _said(file: str, sample: Sample, found: list[Finding]) -> list[Finding]:
    """Return advice on what a script wrote to its standard error although it did not fail."""
    if found or not sample.errors:
        return []
    what = f"{os.path.basename(file)} wrote {len(sample.errors)} lines to its standard error."
    if len(sample.errors) == 1:
        what = f"{os.path.basename(file)} wrote a line to its standard error."
    evidence = "\n".join(sample.errors[:5])
    old = any(_DEPRECATED.search(text) for text in sample.errors)
    fix = f"Python 3.13 has no such module. {_REMEDY}." if old else ""
    return [
        Finding(
            "standard-error", what, is_error=False, evidence=evidence[:1_000], fix=fix, file=file
        )
    ]


def _advise(kind: str, what: str, fix: str, section: str, file: str) -> Finding:
    rule = f"RFC 3875 section {section}"
    return Finding(kind, what, is_error=False, fix=fix, rule=rule, file=file)
