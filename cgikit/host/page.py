"""The host's own pages: what went wrong and what to do about it, and the listing. HTML5.

Values in, markup out; everything from outside passes through `escape`. The pages load nothing from
other URLs. `cgikit.debug` makes the pages of scripts written with cgikit.
"""

import os
import re
from collections.abc import Iterable

from cgikit.html import escape

from .diagnosis import INCIDENT
from .logtext import one_line
from .output import ScriptResponse, reason_of
from .path import url_path
from .problem import Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .listing import Entry

_STYLE = """
:root{color-scheme:light dark;--ink:#1d2330;--soft:#5b6475;--line:#dfe3ea;--page:#f6f7f9;
--card:#fff;--link:#1a56c4;--warn:#9a3412;--warnbg:#fff4ec;--code:#f0f2f5}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ef;--soft:#9aa4b5;--line:#2c3340;
--page:#12151b;--card:#1a1f28;--link:#8ab4ff;--warn:#fdba74;--warnbg:#2b2018;--code:#232a35}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.55 system-ui,sans-serif}
main{max-width:46rem;margin:0 auto;padding:3rem 1.25rem}
h1{font-size:1.5rem;line-height:1.3;margin:.25rem 0 1.25rem;overflow-wrap:anywhere}
a{color:var(--link);text-decoration:none}a:hover{text-decoration:underline}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.875rem}
pre{background:var(--code);border-radius:6px;padding:.75rem 1rem;margin:.25rem 0 1.25rem;
white-space:pre-wrap;overflow-wrap:anywhere}
.kind{color:var(--soft);margin:0;font-variant-numeric:tabular-nums}
.fix{border-left:4px solid var(--warn);background:var(--warnbg);padding:.75rem 1rem;
border-radius:0 6px 6px 0;margin:0 0 1.5rem;overflow-wrap:anywhere}
.fix b{color:var(--warn);display:block;font-size:.8125rem}
h2{font-size:.8125rem;color:var(--soft);font-weight:600;margin:0 0 .25rem}
ul{list-style:none;margin:0;padding:0;background:var(--card);
border:1px solid var(--line);border-radius:8px}
li{padding:.7rem 1rem;border-top:1px solid var(--line);overflow-wrap:anywhere}
li:first-child{border-top:0}
.pair{display:flex;gap:1rem;justify-content:space-between}
.pair a+a{flex:none;font-size:.875rem}
li p{margin:0;color:var(--soft);font-size:.9375rem}li .off{color:var(--warn)}
footer{color:var(--soft);font-size:.875rem;margin-top:2rem}
"""


def error_page(
    problem: Problem, *, details: bool, script: str = "", log: Iterable[str] = (), sources: str = ""
) -> bytes:
    """Return the page for a problem (UTF-8). `sources` is the URL path below which the source of
    `script` is shown, "" if it is shown nowhere.

    With `details` it says what is wrong, the fix, the evidence, and the last lines that the script
    wrote to its standard error (`log`); without, only what a visitor may know.
    """
    kind = f"{problem.status} {reason_of(problem.status)}"
    if not details:
        return _page(kind, f'<p class="kind">{escape(kind)}</p><h1>{escape(problem.message)}</h1>')
    parts = [f'<p class="kind">{escape(kind)}</p><h1>{escape(problem.what)}</h1>']
    if problem.fix:
        parts.append(f'<p class="fix"><b>To fix it</b>{_code(problem.fix)}</p>')
    if problem.evidence:
        parts.append(f"<h2>What the server saw</h2><pre>{_visible(problem.evidence)}</pre>")
    lines = "\n".join(_for_its_owner(log))
    if lines:
        parts.append(f"<h2>What the script wrote to stderr</h2><pre>{_visible(lines)}</pre>")
    where = f"<code>{escape(script)}</code> · " if script else ""
    if script and sources:
        where += f'<a href="{escape(sources + url_path(script))}">View source</a> · '
    parts.append(f'<footer>{where}<a href="/">All scripts</a></footer>')
    return _page(kind, "".join(parts))


#: Frames of a traceback whose line of the source follows, if it is known.
_FRAME = re.compile(r'  File "([^"]+)", line \d+')
_LIBRARY = os.path.dirname(os.path.dirname(__file__)) + os.sep


def appendix(what: str, kind: str, log: Iterable[str] = ()) -> bytes:
    """Return what is appended to the output of a script that failed, for the person who owns it
    (ASCII): what went wrong, and the last lines of its standard error.

    `kind` is the answer's Content-Type; b"" if that is neither HTML nor plain text.
    """
    from cgikit import appendix

    return appendix.appendix(what, kind, _for_its_owner(log))


def _for_its_owner(log: Iterable[str]) -> list[str]:
    """Return the lines of a script's log for its owner: each incident number only once, and tracebacks
    without cgikit's own frames. The log itself is complete.
    """
    shown, incident, skipping = [], "", False
    for line in log:
        found = INCIDENT.match(line)
        number = found[0] if found else ""
        text = line[len(number) :]
        frame = _FRAME.match(text)
        if frame:
            skipping = frame[1].startswith(_LIBRARY)
        elif not text.startswith("    "):  # else the source of the frame before
            skipping = False
        if not skipping:
            shown.append(text if number == incident else line)
            incident = number
    return shown


def own_response(
    status: int, page: bytes, headers: tuple[tuple[str, str], ...] = ()
) -> ScriptResponse:
    """Return the answer that carries one of these pages, with more header fields."""
    fields = (
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Length", str(len(page))),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),  # S28
        ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"),
        *headers,
    )
    return ScriptResponse(status, reason_of(status), fields, page)


def listing_page(url: str, entries: "list[Entry]", sources: str = "") -> bytes:
    """Return the page that lists a directory of scripts (UTF-8). `url` is its decoded path;
    `sources` is as for `error_page`.
    """
    items = [] if url == "/" else ['<li><a href="../">../</a></li>']
    items += [_item(url, entry, sources) for entry in entries]
    if not entries:
        items.append(
            "<li>No scripts here yet.<p>Put an executable file into this directory, "
            "with <code>#!/usr/bin/env python3</code> as its first line.</p></li>"
        )
    title = "Scripts" if url == "/" else f"Scripts in {url}"
    return _page(
        title,
        f'<p class="kind">cgikit</p><h1>{escape(title)}</h1><ul>{"".join(items)}</ul>',
    )


def _item(url: str, entry: "Entry", sources: str) -> str:
    path = url_path(url + entry.name)
    name = f'<a href="{escape(path)}">{escape(entry.name)}</a>'
    if sources and not entry.fix and not entry.name.endswith("/"):
        label = f"View source of {entry.name}"
        link = f'<a href="{escape(sources + path)}" aria-label="{escape(label)}">View source</a>'
        name = f'<span class="pair">{name}{link}</span>'
    about = f"<p>{escape(entry.about)}</p>" if entry.about else ""
    why = escape(entry.why)
    fix = f'<p class="off">{why}: <code>{escape(entry.fix)}</code></p>' if entry.fix else ""
    return f"<li>{name}{about}{fix}</li>"


def _page(title: str, body: str) -> bytes:
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><main>{body}</main></body></html>\n"
    ).encode("utf-8", "backslashreplace")  # a file name may be bytes that are not UTF-8


def _code(fix: str) -> str:
    """Return the markup of a fix: one that is a command in code type."""
    text = escape(fix)
    return f"<code>{text}</code>" if re.match("(chmod|sed) ", fix) else text


def _visible(text: str) -> str:
    return "\n".join(escape(one_line(line)) for line in text.split("\n"))
