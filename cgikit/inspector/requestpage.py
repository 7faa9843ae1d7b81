"""The page of one request: what came in, what the scripts did, what went out. Values in, markup out."""

from cgikit.characters import printable
from cgikit.host.output import LocalRedirect
from cgikit.host.problem import Problem
from cgikit.maskedenviron import HIDDEN

from .asking import whole_body
from .commands import as_curl, as_shell
from .exchange import Exchange, ScriptRun
from .hiding import Hiding
from .listpage import clock, failed, notes, status, took
from .markup import button, bytes_of, copy, milliseconds, page, stream, table, text
from .parts import File, Parts, header_block

_SESSION = "Sessions are not shown: only the script knows where it keeps them."
_BY_US = (-15, -9)  # TERM, KILL


def request_page(exchange: Exchange, token: str, done: str = "") -> bytes:
    """Return the page of a request. `done` is what was just done, such as "Saved as …"."""
    parts = Parts(exchange)
    hiding = Hiding(exchange, parts.fields)
    request = exchange.request
    title = f"{request.method[:20]} {hiding.target(request.target)[:500]}"
    message = f'<p class="note" role="status">{text(done)}</p>' if done else ""
    runs = "".join(
        _run(run, hiding, len(exchange.runs) > 1 and number)
        for number, run in enumerate(exchange.runs, 1)
    )
    nothing = "" if runs else "<p>No script ran for this request.</p>"
    return page(
        title,
        '<p class="links"><a href="/_cgikit/">All requests</a></p>'
        f"<h1><code>{text(title)}</code></h1>{message}{_summary(exchange, hiding)}"
        f"{_actions(exchange, token)}{_asked(exchange, parts, hiding)}{runs}{nothing}"
        f"{_answered(exchange, hiding)}{_commands(exchange, hiding)}",
    )


def _actions(exchange: Exchange, token: str) -> str:
    """Return the buttons, or why there are none."""
    here = f"/_cgikit/{exchange.number}"
    try:
        whole_body(exchange)
    except Problem as problem:
        return f'<p class="note">It cannot be sent again. {text(problem.what)}</p>'
    save = button(f"{here}/save", token, "Save as a test") if exchange.runs else ""
    return (
        f"<div>{button(f'{here}/replay', token, 'Send it again')}"
        f'<a class="button" href="{here}/edit">Edit and send</a>{save}</div>'
    )


def _commands(exchange: Exchange, hiding: Hiding) -> str:
    """Return the commands to copy."""
    commands = [("For curl", as_curl(exchange, hiding))]
    if exchange.runs:
        commands.append(("To run the script by hand", as_shell(exchange.runs[0], hiding)))
    return "<h2>To copy</h2>" + "".join(
        copy(label, one.text, one.refused, " ".join(one.notes)) for label, one in commands
    )


def _summary(exchange: Exchange, hiding: Hiding) -> str:
    word = "bad" if failed(exchange) else "ok"
    more = notes(exchange, hiding)
    return (
        f'<p><b class="{word}">{text(status(exchange))}</b> · {took(exchange)} · request '
        f"{exchange.number}, at {clock(exchange)}{' · ' if more else ''}{text(more)}</p>"
    )


def _asked(exchange: Exchange, parts: Parts, hiding: Hiding) -> str:
    request = exchange.request
    line = f"{request.method} {hiding.target(request.target)} {request.protocol}"
    fields = [(name, hiding.header(name, value)) for name, value in request.headers]
    if request.content_type:
        fields.append(("Content-Type", hiding.text(request.content_type)))
    if request.content_length is not None:
        fields.append(("Content-Length", str(request.content_length)))
    tables = [
        _pairs("Query", parts, "query", [(n, hiding.value(n, v)) for n, v in parts.query]),
        _pairs("Form", parts, "form", [(n, hiding.value(n, v)) for n, v in parts.form]),
        _pairs("Files", parts, "files", [(one.name, _file(one, hiding)) for one in parts.files]),
        _pairs("Cookies", parts, "cookies", [(name, HIDDEN) for name, _ in parts.cookies]),
    ]
    return (
        f"<h2>Request</h2><pre>{text(line)}</pre>"
        f'<div class="two"><div>{table("Header fields", fields)}</div>'
        f"<div>{''.join(tables)}<p class='soft'>{text(_SESSION)}</p></div></div>"
    )


def _pairs(caption: str, parts: Parts, name: str, rows: list[tuple[str, str]]) -> str:
    why = parts.why.get(name)
    return table(caption, rows, f"not read: {why}" if why else "none")


def _file(file: File, hiding: Hiding) -> str:
    details = (hiding.text(file.filename), file.content_type, bytes_of(len(file.content)))
    return ", ".join(filter(None, details))


def _run(run: ScriptRun, hiding: Hiding, number: int) -> str:
    named = f"Script {number}" if number else "Script"
    kind = run.environment.get("CONTENT_TYPE", "")
    variables = hiding.environment(dict(run.environment))
    words = " ".join(filter(None, (run.interpreter, run.file, *run.arguments)))
    errors = printable(hiding.text(run.stderr.kept.decode("utf-8", "replace")), keep="\t\n")
    return (
        f"<h2>{named}: <code>{text(hiding.target(run.script_name))}</code></h2>"
        f"<p><code>{text(words)}</code> · {_end(run)}</p>{_times(run)}"
        f"<details><summary>Variables ({len(variables)})</summary>"
        f"{table('Environment', variables.items())}</details>"
        + (
            stream(
                "Standard input",
                hiding.body(run.stdin.kept, kind),
                run.stdin.length,
                run.stdin.is_cut,
            )
            if run.has_body
            else ""
        )
        + '<div class="two"><div>'
        + stream(
            "Standard output", hiding.output(run.stdout.kept), run.stdout.length, run.stdout.is_cut
        )
        + f"</div><div><h3>What the server made of it</h3>{_header(run, hiding)}</div></div>"
        + stream("Standard error", errors, run.stderr.length, run.stderr.is_cut)
    )


def _end(run: ScriptRun) -> str:
    if run.started is None and run.ended is not None:
        return '<b class="bad">it could not be started</b>'
    if run.status is None:
        return "it runs"
    if run.status < 0:
        maybe = ", which this server sends if the output is wrong or late"
        return (
            f'<b class="bad">killed by signal {-run.status}'
            f"{maybe if run.status in _BY_US else ''}</b>"
        )
    return f'<span class="{"bad" if run.status else "ok"}">exit status {run.status}</span>'


def _times(run: ScriptRun) -> str:
    """Return the steps of a run as a table with bars. All of them are measured."""
    if run.started is None or run.ended is None:
        return ""
    first = run.first or run.ended
    steps = [
        ("fork and exec", run.began, run.started),
        ("interpreter and script, until the first output", run.started, first),
        ("first output until the end", first, run.ended),
    ]
    whole = max(run.ended - run.began, 1e-6)
    lines = "".join(
        f'<tr><th scope="row">{text(name)}</th><td class="number">{milliseconds(end - start)}</td>'
        f'<td><svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect x="{(start - run.began) / whole * 100:.2f}" y="0" height="10" '
        f'width="{max(0.3, (end - start) / whole * 100):.2f}"/></svg></td></tr>'
        for name, start, end in steps
    )
    return f"<table><caption>Time, as the server saw it</caption><tbody>{lines}</tbody></table>"


def _header(run: ScriptRun, hiding: Hiding) -> str:
    if not run.stdout.length:
        return '<p class="soft">There was no output.</p>'
    found = header_block(run)
    if isinstance(found, Problem):
        advice = f"<p class='note'>{text(found.fix)}</p>" if found.fix else ""
        return f'<p class="bad">{text(hiding.text(found.what))}</p>{advice}'
    if isinstance(found, LocalRedirect):
        return f"<p>A local redirect to <code>{text(hiding.target(found.target))}</code></p>"
    return _fields(f"Status {found.status} {found.reason}", found.headers, hiding)


def _fields(caption: str, headers: tuple[tuple[str, str], ...], hiding: Hiding) -> str:
    return table(caption, [(name, hiding.answer_header(name, value)) for name, value in headers])


def _answered(exchange: Exchange, hiding: Hiding) -> str:
    if not exchange.status:
        return ""
    return f"<h2>Answer</h2>{_fields(status(exchange), exchange.headers, hiding)}"
