"""What went into a script and what came out, as a part of a page (HTML5). Pure.

The variables, standard input, raw standard output with its line ends and the blank line that ends the
header block (RFC 3875 section 6.3), what a server makes of it, standard error. Secrets are hidden as
in the inspector (`inspector.hiding`).
"""

from cgikit.characters import printable
from cgikit.host.environ import ServerRequest
from cgikit.host.output import LocalRedirect
from cgikit.host.problem import Problem
from cgikit.html import escape
from cgikit.inspector.exchange import Exchange, ScriptRun
from cgikit.inspector.hiding import Hiding, masked_head
from cgikit.inspector.markup import bytes_of, table, text
from cgikit.inspector.parts import Parts, header_block

from .dialogue import Dialogue
from .svg import plain

_VARIABLES = 200
_VALUE = 1_000  # characters of a variable
_LINES = 100  # of a header block
_TEXT = 16_384  # characters of a stream
_HEX = 256  # bytes of a stream that is no text
_LOOKED_AT = 1_024  # bytes that tell whether it is text


def section(dialogue: Dialogue, script: str = "") -> str:
    """Return the dialogue as markup (str)."""
    run, hiding = _recorded(dialogue, script)
    kind = run.environment.get("CONTENT_TYPE", "")
    ended = dialogue.status
    end = f"killed by signal {-ended}" if ended < 0 else f"exit status {ended}"
    return (
        f"<h2>What went in</h2>{_variables(run, hiding)}"
        + _stream("Standard input", dialogue.stdin, dialogue.stdin_length, hiding, kind)
        + '<h2>What came out</h2><div class="two"><div>'
        + _output(dialogue, hiding)
        + f"</div><div><h3>What the server makes of it</h3>{_answer(run, hiding)}</div></div>"
        + _stream("Standard error", dialogue.stderr, len(dialogue.stderr), hiding, "")
        + f'<p>The end: <b class="{"bad" if ended else "ok"}">{end}</b></p>'
    )


def is_binary(data: bytes) -> bool:
    """Whether the beginning of a stream is no text: it has NUL, or much that is not UTF-8."""
    head = data[:_LOOKED_AT]
    if b"\0" in head:
        return True
    return head.decode("utf-8", "replace").count("\ufffd") * 10 > len(head)


def _recorded(dialogue: Dialogue, script: str) -> tuple[ScriptRun, Hiding]:
    """Return the dialogue as the inspector records one, and what is to be hidden of it."""
    variables = dict(dialogue.variables)
    run = ScriptRun(script, variables, (), "", bool(dialogue.stdin), lambda: lambda size: size)
    run.stdin.add(dialogue.stdin)
    run.stdout.add(dialogue.stdout)
    run.stdin.length, run.stdout.length = dialogue.stdin_length, dialogue.stdout_length
    cookie = variables.get("HTTP_COOKIE", "")
    request = ServerRequest(
        method=variables.get("REQUEST_METHOD", "GET"),
        path=variables.get("SCRIPT_NAME", "") + variables.get("PATH_INFO", ""),
        query=variables.get("QUERY_STRING", ""),
        headers=(("Cookie", cookie),) if cookie else (),
        content_length=dialogue.stdin_length if dialogue.stdin else None,
        content_type=variables.get("CONTENT_TYPE", ""),
    )
    exchange = Exchange(1, request)
    exchange.runs.append(run)
    return run, Hiding(exchange, Parts(exchange).fields)


def _variables(run: ScriptRun, hiding: Hiding) -> str:
    found = hiding.environment(dict(run.environment))
    rows = [
        (name[:_VALUE], value if len(value) <= _VALUE else f"{value[:_VALUE]}… (cut)")
        for name, value in [*found.items()][:_VARIABLES]
    ]
    more = len(found) - len(rows)
    note = f'<p class="note">{more} more variables are not shown.</p>' if more > 0 else ""
    return (
        f"<details open><summary>Variables ({len(found)})</summary>"
        f"{table('Environment', rows)}{note}</details>"
    )


def _stream(title: str, data: bytes, length: int, hiding: Hiding, kind: str) -> str:
    """Return a raw stream; hexadecimal if it is no text."""
    if not length:
        return f'<h3>{title}</h3><p class="soft">empty</p>'
    return f"<h3>{title} ({bytes_of(length)})</h3>" + _body(data, length, hiding, kind)


def _body(data: bytes, length: int, hiding: Hiding, kind: str) -> str:
    if is_binary(data):
        return _hexadecimal(hiding.data(data, kind), length)
    shown = hiding.body(data, kind)
    cut = _note(len(shown) > _TEXT or len(data) < length, length)
    return f"{cut}<pre>\n{escape(shown[:_TEXT])}</pre>"


def _note(is_cut: bool, length: int) -> str:
    if not is_cut:
        return ""
    return f'<p class="note">Cut: of {bytes_of(length)}, only the beginning is shown.</p>'


def _hexadecimal(data: bytes, length: int) -> str:
    rows = []
    for at in range(0, min(_HEX, len(data)), 8):
        row = data[at : min(at + 8, _HEX)]
        letters = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        rows.append(f"{at:04x} {row.hex(' '):23} {letters}")
    note = _note(len(data) > _HEX or len(data) < length, length)
    return (
        f'<p class="soft">Not text, so it is shown in hexadecimal.</p>{note}'
        f'<pre class="hex">\n{escape(chr(10).join(rows))}</pre>'
    )


def _output(dialogue: Dialogue, hiding: Hiding) -> str:
    """Return standard output: the header block with its line ends, the blank line, the body."""
    data, length = dialogue.stdout, dialogue.stdout_length
    title = f"<h3>Standard output ({bytes_of(length)})</h3>"
    if not length:
        return '<h3>Standard output</h3><p class="soft">empty</p>'
    blank = _blank_line(data)
    if not blank:
        nothing = "There is no blank line, so a server finds no end of the header block."
        return f'{title}<p class="bad">{nothing}</p>{_body(data, length, hiding, "")}'
    start, stop = blank
    head, rest = data[:start], data[stop:]
    lines = head.split(b"\n")[:-1]
    shown = "".join(_line(line, hiding) for line in lines[:_LINES])
    if len(lines) > _LINES:
        shown += f'<span class="blank">{len(lines) - _LINES} more lines</span>'
    end = _end(data[start:stop])
    body = (
        _body(rest, length - stop, hiding, "") if length > stop else '<p class="soft">no body</p>'
    )
    return (
        f'{title}<pre class="raw">{shown}<span class="blank">the blank line <span class="end">{end}'
        f"</span>: here the header block ends</span></pre>{body}"
    )


def _blank_line(data: bytes) -> tuple[int, int] | None:
    """Return where the first blank line begins and ends, None if there is none."""
    for first in (b"\n", b"\r\n"):
        if data.startswith(first):
            return 0, len(first)
    ends = [(at + 1, at + len(e)) for e in (b"\n\n", b"\n\r\n") if (at := data.find(e)) >= 0]
    return min(ends, default=None)


def _line(line: bytes, hiding: Hiding) -> str:
    words = line.removesuffix(b"\r").decode("utf-8", "backslashreplace")
    shown = printable(hiding.text(masked_head(words)))
    return (
        f"{escape(shown[:_TEXT])}{'…' * (len(shown) > _TEXT)}"
        f'<span class="end">{_end(line + chr(10).encode())}</span>\n'
    )


def _end(line: bytes) -> str:
    return "CRLF" if line.endswith(b"\r\n") else "LF"


def _answer(run: ScriptRun, hiding: Hiding) -> str:
    """Return the status and the header fields of the answer, or what is wrong."""
    if not run.stdout.length:
        return '<p class="soft">There was no output. A server answers 500.</p>'
    try:
        found = header_block(run)
    except ValueError as error:  # a name that is no path
        return f'<p class="bad">{plain(str(error), _VALUE)}</p>'
    if isinstance(found, Problem):
        advice = f'<p class="note">{text(hiding.text(found.fix))}</p>' if found.fix else ""
        return f'<p class="bad">{found.status}: {text(hiding.text(found.what))}</p>{advice}'
    if isinstance(found, LocalRedirect):
        return f"<p>A local redirect to <code>{text(hiding.target(found.target))}</code></p>"
    fields = [(name, hiding.answer_header(name, value)) for name, value in found.headers[:_LINES]]
    return table(f"Status {found.status} {found.reason}", fields)
