"""Pieces of the inspector's pages: HTML5. Values in, markup out; everything is escaped here.

What the pages have is in `listpage.py` and `requestpage.py`.
"""

from collections.abc import Iterable

from cgikit.characters import printable
from cgikit.host.output import reason_of
from cgikit.html import escape

from .style import SCRIPT, STYLE

_LONG = 4_000  # characters of a text that is folded


def page(title: str, body: str, *, updates: bool = False) -> bytes:
    """Return a whole page (UTF-8); with `updates`, with the script that renews the list."""
    script = f"<script>{SCRIPT}</script>" if updates else ""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{text(title)} · cgikit inspector</title><style>{STYLE}</style></head>"
        f"<body><main>{body}</main>{script}</body></html>\n"
    ).encode("utf-8", "backslashreplace")


def refusal(status: int, what: str, fix: str = "") -> bytes:
    """Return the page for a request that is not answered."""
    more = f'<p class="note">{text(fix)}</p>' if fix else ""
    return page(
        reason_of(status),
        f'<p class="soft">{status} {reason_of(status)}</p><h1>{text(what)}</h1>{more}'
        '<p class="links"><a href="/">All scripts</a></p>',
    )


def text(value: str) -> str:
    """Return a text as markup, with escapes for what does not print."""
    return escape(printable(value))


def lines(value: str) -> str:
    """Return a text as markup, with its line ends."""
    return escape(printable(value.replace("\r\n", "\n"), keep="\n"))


def table(caption: str, rows: Iterable[tuple[str, str]], nothing: str = "none") -> str:
    """Return a table of names and values, or a line that says that there are none."""
    found = [
        f'<tr><th scope="row" class="mono">{text(name)}</th><td class="mono">{lines(value)}</td></tr>'
        for name, value in rows
    ]
    if not found:
        return f'<p><span class="soft">{text(caption)}:</span> {text(nothing)}</p>'
    return f"<table><caption>{text(caption)}</caption><tbody>{''.join(found)}</tbody></table>"


def stream(title: str, shown: str, length: int, cut: bool) -> str:
    """Return a raw stream, which is folded if it is long. `shown` may have line ends."""
    size = bytes_of(length)
    if not length:
        return f'<h3>{text(title)}</h3><p class="soft">empty</p>'
    note = (
        f'<p class="note">Cut: the stream has {size}; only its beginning is kept.</p>'
        if cut
        else ""
    )
    pre = f"<pre>\n{escape(shown)}</pre>"
    if len(shown) > _LONG:
        pre = f"<details><summary>Show all of it</summary>{pre}</details>"
    return f"<h3>{text(title)} ({size})</h3>{note}{pre}"


def copy(label: str, command: str, refused: str = "", note: str = "") -> str:
    """Return a field with a command to copy, or why there is none."""
    if refused:
        return f'<h3>{text(label)}</h3><p class="note">{text(refused)}</p>'
    more = f'<p class="soft">{text(note)}</p>' if note else ""
    rows = min(12, 2 + len(command) // 90)
    return (
        f"<h3>{text(label)}</h3>{more}"
        f'<textarea readonly rows="{rows}" aria-label="{text(label)}">\n{escape(command)}</textarea>'
    )


def button(action: str, token: str, label: str) -> str:
    """Return a form with one button."""
    return (
        f'<form class="inline" method="post" action="{text(action)}">'
        f'<input type="hidden" name="token" value="{text(token)}">'
        f"<button>{text(label)}</button></form>"
    )


def bytes_of(length: int) -> str:
    """Return a number of bytes in words."""
    return f"{length:,} byte{'s' * (length != 1)}"


def milliseconds(seconds: float) -> str:
    """Return a duration in words."""
    return f"{seconds * 1000:,.1f} ms" if seconds < 1 else f"{seconds:,.2f} s"
