"""How the documentation becomes a site: `make docs`.

The pages are plain Markdown, and complete where they lie. For the site, their order is in _toc.yml,
links that lead out of docs/ are rewritten, since the site has only pages, and what the theme lacks for
people who use a keyboard or a screen reader is added. The site makes no request to any other host.
"""

import os.path
import re
from pathlib import Path
from typing import TYPE_CHECKING

import cgikit

if TYPE_CHECKING:
    from sphinx.application import Sphinx

#: Where the site and the repository are, each with a "/" at the end. Empty: nothing is published, and
#: no page links to a file outside the documentation.
SITE = ""
REPOSITORY = ""

DOCS = Path(__file__).parent

#: Pages that are kept at the top of the repository, where people look for them, and their place in the
#: site. The file in that place holds a link, for readers of the repository.
TOP = {
    "CHANGELOG.md": "project/changelog.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "README.md": "index.md",
    "SECURITY.md": "project/security.md",
}

project = "cgikit"
author = "the cgikit authors"
version = release = cgikit.__version__
extensions = ["myst_parser", "sphinx_external_toc"]
exclude_patterns = ["_build", "man"]
external_toc_path = "_toc.yml"
myst_heading_anchors = 4
suppress_warnings = ["misc.highlighting_failure"]  # "…" stands for anything, in every language

html_theme = "furo"
html_title = f"cgikit {version}"
html_baseurl = SITE
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_theme_options: dict[str, object] = {"footer_icons": [], "top_of_page_buttons": []}
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"

_FENCE = re.compile(r"(^```.*?^```$)", re.M | re.S)
_LINK = re.compile(r"(!?)\[((?:`[^`]*`|[^\[\]])*)\]\(([^)\s]+)\)")


def _rewritten(text: str, folder: str) -> str:
    """Return a page's text with links as the site needs them; `folder` is the page's, below the top."""

    def link(match: re.Match[str]) -> str:
        image, words, target = match.groups()
        if re.match(r"[a-z]+:|#", target):
            return match[0]
        path, hash_, anchor = target.partition("#")
        path = os.path.normpath(os.path.join(folder, path))
        if path in TOP:
            path = "docs/" + TOP[path]
        if path.startswith("docs/") and (DOCS.parent / path).is_file():
            return f"{image}[{words}](/{path.removeprefix('docs/')}{hash_}{anchor})"
        if REPOSITORY:
            return f"[{words}]({REPOSITORY}{path}{hash_}{anchor})"
        if path.startswith("examples/") and path.endswith((".py", ".pl")):
            return f"{image}[{words}](/../{path})"  # a download: these are to be copied
        return words

    parts = _FENCE.split(text)
    words = [part if part.startswith("```") else _LINK.sub(link, part) for part in parts]
    # What a script reads and writes is CGI: without a status line, HTTP's lexer finds errors in it.
    return "".join(words).replace("```http\n", "```text\n")


def _read(app: "Sphinx", docname: str, source: list[str]) -> None:
    """Give Sphinx the text of a page (its event source-read)."""
    for name, place in TOP.items():
        if place == f"{docname}.md" and place != "index.md":
            source[0] = _rewritten((DOCS.parent / name).read_text(), "")
            return
    source[0] = _rewritten(source[0], os.path.join("docs", os.path.dirname(docname)))


#: What the theme writes, and what is put in its place: blocks of code scroll, so the keyboard must
#: reach them; two landmarks of one kind need names (WCAG 2.1.1; WAI-ARIA 1.2, "landmark").
_ADDED = {
    "<pre>": '<pre tabindex="0">',
    '<aside class="sidebar-drawer">': '<aside class="sidebar-drawer" aria-label="All pages">',
    '<aside class="toc-drawer">': '<aside class="toc-drawer" aria-label="On this page">',
    '<th class="head"><p></p></th>': '<td class="head"></td>',  # WCAG 1.3.1: a head has words
    '<div class="table-wrapper ': '<div tabindex="0" class="table-wrapper ',
    '<div id="search-results">': '<h1>Search</h1>\n<div id="search-results">',
}


def _finish(app: "Sphinx", error: Exception | None) -> None:
    """Complete the pages that the theme wrote (Sphinx's event build-finished)."""
    for page in Path(app.outdir).rglob("*.html") if error is None else ():
        text = page.read_text()
        for old, new in _ADDED.items():
            text = text.replace(old, new)
        page.write_text(text)


def setup(app: "Sphinx") -> dict[str, bool]:
    """Connect what is above to Sphinx's events."""
    app.connect("source-read", _read)
    app.connect("build-finished", _finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
