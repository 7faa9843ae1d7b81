#!/usr/bin/env python3
"""The site search: pages that have all the words, the best first, with the words in their sentence.

The classic: Simple Search (Matt's Script Archive, 1995) had a shell list the files, and read them all.

Its holes: Words were patterns: one bracket was an error, and some patterns never end. They were shown
unescaped, so a link could bring its own HTML. Descendants took the folder to search from the form.

This one: The folder is a setting. Words are words, and everything is escaped. Symbolic links, hidden
files and very large ones are not read, and there is a limit to what one search reads.
"""

import os
import re
import stat
from html.parser import HTMLParser
from urllib.parse import quote

from cgikit import Request, Response, escape, fields, run

FOLDER = (
    "data/pages"  # what is searched: a folder with .html and .txt files that everybody may read
)
URL = "/"  # the address of that folder; "" if its pages have none
ENDINGS = (".html", ".htm", ".txt")
MOST_WORDS = 8
MOST_FILES = 5_000
MOST_BYTES = 1 << 20  # of a file; what is longer is not read
MOST_READ = 50 << 20  # of all files
PER_PAGE = 10
AROUND = 90  # characters before and after a word

SEARCH = [fields.declare("words", label="Words", max=100)]

PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Search</title>
<style>{style}
mark {{ background: var(--tint); color: inherit; font-weight: 600; border-radius: .2rem }}
.found {{ list-style: none; padding: 0 }}
</style>
<main>
<h1>Search</h1>
{content}
</main>
"""
FOUND = '<li class="card"><h2>{title}</h2><p>{snippet}</p></li>'


def search(request: Request):
    values, errors = fields.check(request, SEARCH)
    words = list(dict.fromkeys((values["words"] or "").casefold().split()))[:MOST_WORDS]
    content = form(errors)
    if words and not errors:
        content += results(request, words)
    page = PAGE.format(style=STYLE, content=content)
    return Response.html(page, 422) if errors.sent and errors else page


def form(errors):
    filled = fields.form(
        errors,
        f"<div>{fields.text(errors, 'words', type='search', autocomplete='off')}</div>",
        fields.button(errors, label="Search"),
        method="get",
        novalidate=True,
    )
    return f'<section class="card" aria-label="Search" role="search">{filled}</section>'


def results(request: Request, words):
    found, all_read = find(words)
    pages = max(1, -(-len(found) // PER_PAGE))
    page = request.query.getint("page", default=1, min=1, max=pages)
    shown = found[(page - 1) * PER_PAGE : page * PER_PAGE]
    items = "".join(item(*each, words) for _, *each in shown)
    many = f"{len(found)} {'page' if len(found) == 1 else 'pages'} found"
    cut = (
        "" if all_read else '<p class="note">There was too much to read: pages may be missing.</p>'
    )
    here = f"{escape(request.script_name)}?words={quote(' '.join(words))}&amp;page="
    newer = f'<a href="{here}{page - 1}" rel="prev">Better ones</a>' if page > 1 else ""
    older = f'<a href="{here}{page + 1}" rel="next">More</a>' if page < pages else ""
    steps = (
        f'<nav class="row split" aria-label="Pages">{newer} Page {page} of {pages} {older}</nav>'
    )
    listed = f'<ol class="found">{items}</ol>{steps if pages > 1 else ""}' if found else ""
    return f"<h2>{many}</h2>{cut}{listed}"


def item(path, title, text, words):
    name = escape(title)
    if URL:
        name = f'<a href="{escape(URL + quote(os.fsencode(path)))}">{name}</a>'
    return FOUND.format(title=name, snippet=snippet(text, words))


def snippet(text, words):
    """Return HTML: the text around the first word, with all words marked."""
    anywhere = re.compile("|".join(re.escape(word) for word in words), re.IGNORECASE)
    first = anywhere.search(text)
    start = max(0, (first.start() if first else 0) - AROUND)
    end = start + 2 * AROUND
    part, parts, last = text[start:end], [], 0
    for hit in anywhere.finditer(part):
        parts += [escape(part[last : hit.start()]), f"<mark>{escape(hit[0])}</mark>"]
        last = hit.end()
    parts.append(escape(part[last:]))
    return f"{'… ' if start else ''}{''.join(parts)}{' …' if end < len(text) else ''}"


# --- the files -----------------------------------------------------------------------------------


def find(words):
    """Return (score, path, title, text) of the pages with all words, the best first, and whether
    everything was read.
    """
    found, left = [], MOST_READ
    for number, path in enumerate(paths()):
        if number == MOST_FILES or left <= 0:
            return ranked(found), False
        source = read(path)
        left -= len(source)
        title, text = text_of(path, source)
        inside, above = text.casefold(), title.casefold()
        if all(word in inside or word in above for word in words):
            score = sum(inside.count(word) + 20 * above.count(word) for word in words)
            found.append((score, path, title, text))
    return ranked(found), True


def ranked(found):
    return sorted(found, key=lambda each: (-each[0], each[1]))


def paths():
    """Yield the paths of the pages, relative to the folder, with / between their parts."""
    for folder, folders, files in os.walk(FOLDER):  # which does not follow links to folders
        # `data` is where scripts keep what is nobody's business, should the folder be a whole site.
        folders[:] = sorted(n for n in folders if not n.startswith(".") and n != "data")
        for name in sorted(files):
            if name.lower().endswith(ENDINGS) and not name.startswith("."):
                yield os.path.relpath(os.path.join(folder, name), FOLDER)


def read(path):
    """Return the text of a file that everybody may read; nothing of a link or of one too long."""
    try:
        # Without waiting, should somebody have put a FIFO there.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        number = os.open(os.path.join(FOLDER, path), flags)
    except OSError:  # gone, a link, or not for this script's user
        return ""
    with open(number, "rb") as file:
        status = os.fstat(number)
        public = stat.S_ISREG(status.st_mode) and status.st_mode & stat.S_IROTH
        if not public or status.st_size > MOST_BYTES:
            return ""
        return file.read(MOST_BYTES).decode("utf-8", "replace")


def text_of(path, source):
    """Return the title and the text of a page, without markup."""
    name = os.fsencode(path.rpartition("/")[2]).decode("utf-8", "replace")
    if path.lower().endswith(".txt"):
        return name, " ".join(source.split())
    reader = Text()
    reader.feed(source)
    reader.close()
    title = " ".join("".join(reader.title).split())
    text = " ".join(" ".join(reader.text).split())
    return title or name, text.removeprefix(title)  # most pages begin with it


class Text(HTMLParser):
    """Collects what a reader of a page sees, and its title."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.title, self.text, self.inside = [], [], ""

    def handle_starttag(self, tag, attrs):
        if not self.inside and tag in {"title", "script", "style", "template"}:
            self.inside = tag

    def handle_endtag(self, tag):
        if tag == self.inside:
            self.inside = ""

    def handle_data(self, data):
        if self.inside == "title":
            self.title.append(data)
        elif not self.inside:
            self.text.append(data)


# --- the style: examples/style.css, put here by `make gallery` ---
STYLE = """
:root {
  color-scheme: light dark;
  --page: light-dark(#f4f6f9, #12151b); --card: light-dark(#fff, #1b2029);
  --ink: light-dark(#1a202c, #e8ebf0); --soft: light-dark(#525d6e, #a8b2c1);
  --line: light-dark(#d9dfe8, #333b48); --edge: light-dark(#7b8698, #768194);
  --accent: light-dark(#1f4fd1, #8fb4ff); --on-accent: light-dark(#fff, #0c1526);
  --tint: light-dark(#e9effd, #202b42);
  --bad: light-dark(#b3141f, #ffb0a8); --bad-tint: light-dark(#fdecec, #3a1f21);
  background: var(--page); color: var(--ink);
  font: 1.0625rem/1.6 system-ui, sans-serif; overflow-wrap: anywhere;
}
* { box-sizing: border-box }
body { margin: 0 }
main { max-width: 44rem; margin: 0 auto; padding: 2rem 1rem 4rem }
.wide main { max-width: 68rem }
h1 { font-size: 1.9rem; line-height: 1.2; letter-spacing: -.02em; margin: 0 0 1.1rem }
h2 { font-size: 1.15rem; line-height: 1.3; margin: 2.2rem 0 .8rem }
p, ul, ol, dl { margin: 0 0 .9rem }
a { color: var(--accent); text-underline-offset: .18em }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
.lead, .soft, time { color: var(--soft) }
.lead { margin-top: -.6rem }
.soft, time, .field-hint { font-size: .9rem }
.card, .note, .errors {
  background: var(--card); border: 1px solid var(--line); border-radius: .75rem;
  padding: 1.1rem 1.25rem; margin: 0 0 1rem; box-shadow: 0 1px 2px #0000000d;
}
.card > :last-child, .note > :last-child, .errors > :last-child { margin-bottom: 0 }
.card h2, .card h3, .errors h2 { font-size: 1.05rem; margin: 0 0 .3rem }
.note { background: var(--tint); border-color: var(--accent) }
.errors { background: var(--bad-tint); border: 2px solid var(--bad) }
.errors a, .field-error { color: var(--bad); font-weight: 600 }
.text { white-space: pre-line }
.row { display: flex; flex-wrap: wrap; gap: .6rem 1rem; align-items: center }
.split { justify-content: space-between }
.row > h1, .row > h2, .row > h3 { margin: 0 }
.grid {
  display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(min(24rem, 100%), 1fr));
}
.grid .card { margin: 0 }
form { display: grid; gap: 1rem; margin: 0 }
form > .card, form > h2 { margin-bottom: 0 }
form > div, fieldset { display: grid; gap: .3rem }
form.row, form > .row { display: flex }
label, legend { font-weight: 600 }
fieldset { border: 1px solid var(--line); border-radius: .6rem; padding: .6rem 1rem 1rem; margin: 0 }
fieldset label { font-weight: 400 }
.field-hint { color: var(--soft) }
input, textarea, select, button { font: inherit; color: inherit }
input:not([type=radio], [type=checkbox], [type=hidden]), textarea, select {
  width: 100%; padding: .55rem .7rem; border: 1px solid var(--edge); border-radius: .5rem;
  background: var(--page);
}
input[type=radio], input[type=checkbox] { width: 1.15rem; height: 1.15rem; accent-color: var(--accent) }
input[type=radio], input[type=checkbox] { margin: 0 .35rem 0 0; vertical-align: -.15rem }
[aria-invalid=true] { outline: 2px solid var(--bad) }
button, .button {
  justify-self: start; padding: .6rem 1.2rem; border: 1px solid var(--accent); border-radius: .5rem;
  background: var(--accent); color: var(--on-accent); font-weight: 600; text-decoration: none;
  cursor: pointer;
}
button:hover, .button:hover { filter: brightness(1.1) }
.quiet { background: transparent; color: var(--accent) }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .5rem .75rem .5rem 0; border-bottom: 1px solid var(--line) }
td { vertical-align: top }
pre, code { font-family: ui-monospace, monospace; font-size: .9em }
pre { overflow: auto; margin: 0 }
img, svg { max-width: 100% }
meter, progress { width: 100%; height: 1rem; accent-color: var(--accent) }
[hidden] { display: none }
"""
# --- the end of the style ---

if __name__ == "__main__":
    run(search)
