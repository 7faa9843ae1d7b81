"""The page with the source of a script, each line with its number. It reads the file; no other.

Which files are scripts decides `host.path`: data beside them is shown as little as it is served.
"""

from cgikit.host.path import Script, locate, url_path
from cgikit.host.problem import Problem
from cgikit.host.rules import Rules
from cgikit.html import escape
from cgikit.regularfile import open_regular

from .markup import bytes_of, page, text

MAX_SOURCE = 262_144  # bytes that are shown


def source_page(root: str, path: str, rules: Rules) -> bytes:
    """Return the page for the script at an encoded URL path (UTF-8). `Problem` if there is none, or if
    it has no text.
    """
    place = locate(root, path, rules)
    if not isinstance(place, Script):
        raise Problem(404, "There is no script at this path.")
    source = _read(place.file)
    if b"\0" in source:
        raise Problem(404, "This is a compiled program, which has no source to show.")
    shown = source[:MAX_SOURCE].decode("utf-8", "backslashreplace")
    cut = (
        f'<p class="note">Cut: only the first {bytes_of(MAX_SOURCE)} are shown.</p>'
        if len(source) > MAX_SOURCE
        else ""
    )
    name = place.script_name or "/"
    return page(
        name,
        f'<p class="links"><a href="/">All scripts</a><a href="{escape(url_path(name))}">Run it</a></p>'
        f"<h1><code>{text(name)}</code></h1>{cut}{_numbered(shown)}",
    )


def _read(file: str) -> bytes:
    try:
        with open(open_regular(file, follow=True, patience=0), "rb") as stream:
            return stream.read(MAX_SOURCE + 1)
    except OSError as error:
        raise Problem(403, f"The source cannot be read: {error.strerror or error}.") from None


def _numbered(source: str) -> str:
    """Return the lines of a source; a link to `#L7` leads to line 7."""
    lines = source.replace("\r\n", "\n").removesuffix("\n").split("\n")
    items = "".join(
        f'<span id="L{number}">{text(line.expandtabs())}\n</span>'
        for number, line in enumerate(lines, 1)
    )
    return f'<pre class="source" tabindex="0" aria-label="source">{items}</pre>'
