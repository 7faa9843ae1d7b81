#!/usr/bin/env python3
"""The gallery: finished scripts to copy, each shown with its source. For your own machine.

It shows the source of the scripts beside it that belong to the gallery, and of no other file; it lists
the others. On a public site, leave this one out.
"""

import ast
from pathlib import Path

from cgikit import HTTPError, Request, escape, run

HERE = Path(__file__).parent
# What a script of the gallery says of itself: each begins a paragraph of its docstring.
SAYS = ("The classic:", "Its holes:", "This one:")

PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>{style}
ul.card {{ padding-left: 2.6rem }}
</style>
<body class="wide">
<main>
{content}
</main>
"""

# The script itself knows nothing of the gallery: it is shown in a frame, under a bar with the way back.
FRAMED = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}: gallery</title>
<style>{style}
body {{ display: grid; grid-template-rows: auto 1fr; height: 100vh; height: 100dvh }}
.bar {{ padding: .5rem 1rem; background: var(--card); border-bottom: 1px solid var(--line) }}
.bar h1 {{ font-size: 1rem; margin: 0 }}
main {{ padding: 0; max-width: none; width: 100%; margin: 0; display: grid }}
iframe {{ border: 0; width: 100%; height: 100% }}
</style>
<header class="bar row split">
<a href="{gallery}">← Gallery</a>
<h1>{title}</h1>
<span class="row"><a href="{source}">View source</a> <a href="{script}">Without this bar</a></span>
</header>
<main><iframe src="{script}" title="{title}"></iframe></main>
"""

CARD = """<article class="card">
<h2><a href="{gallery}/{name}">{title}</a></h2>
<p>{about}</p>
{said}
<p><a href="{gallery}/{name}/source" aria-label="View source of {name}.py">View source</a></p>
</article>"""


def gallery(request: Request):
    found = scripts()
    here = request.script_name
    name, _, rest = request.path_info.removeprefix("/").partition("/")
    if not name:
        return index(found, here)
    if name not in found or rest not in {"", "source"}:
        raise HTTPError(404, "The gallery has no such page.")
    title = found[name][0].partition(":")[0].removeprefix("The ").capitalize()
    if rest:
        return show_source(name, title, here)
    folder = here.rpartition("/")[0]
    return FRAMED.format(
        title=escape(title),
        style=STYLE,
        gallery=escape(here),
        source=escape(f"{here}/{name}/source"),
        script=escape(f"{folder}/{name}.py"),
    )


def scripts():
    """Return what the gallery's scripts say of themselves, by name."""
    found = {}
    for path in files():
        try:
            text = path.read_text(encoding="utf-8")
            if f"\n{SAYS[0]}" in text:  # not parsed for nothing
                parts = (ast.get_docstring(ast.parse(text)) or "").split("\n\n")
                found[path.stem] = [" ".join(part.split()) for part in parts]
        except (OSError, ValueError, SyntaxError):  # not readable, not UTF-8, or of Python 2
            continue
    return found


def files():
    """The files that may be scripts. Editors leave hidden ones; a link may lead anywhere."""
    paths = (path for path in sorted(HERE.glob("*.py")) if not path.name.startswith("."))
    return [path for path in paths if path.is_file() and not path.is_symlink()]


def first_steps(found):
    """Return the first line of each other script's docstring, by name."""
    others = {}
    for path in files():
        if (
            path.stem not in {*found, Path(__file__).stem, "conftest"}
            and path.stat().st_mode & 0o100
        ):
            try:
                with path.open(encoding="utf-8", errors="replace") as file:
                    head = file.read(2_000)
            except OSError:
                continue
            others[path.stem] = head.partition('"""')[2].partition("\n")[0].partition('"""')[0]
    return others


def index(found, here):
    cards = [card(name, *said, here=here) for name, said in found.items()]
    lead = "Finished scripts, each a single file: look at them, read them, copy them."
    content = f'<h1>Gallery</h1>\n<p class="lead">{lead}</p>'
    content += f'\n<div class="grid">\n{"".join(cards)}\n</div>'
    folder = here.rpartition("/")[0]
    rows = [
        f'<li><a href="{escape(folder)}/{escape(name)}.py">{escape(name)}.py</a> {escape(about)}</li>'
        for name, about in first_steps(found).items()
    ]
    if rows:
        content += f'\n<h2>First steps</h2>\n<ul class="card">\n{"".join(rows)}\n</ul>'
    return PAGE.format(title="Gallery", style=STYLE, content=content)


def card(name, first, *said, here):
    title, _, about = first.removeprefix("The ").partition(": ")
    return CARD.format(
        gallery=escape(here),
        name=escape(name),
        title=escape(title.capitalize()),
        about=escape(about[:1].upper() + about[1:]),
        said="\n".join(f"<p class='soft'>{paragraph(text)}</p>" for text in said),
    )


def paragraph(text):
    label, _, rest = text.partition(":")
    return f"<b>{escape(label)}:</b>{escape(rest)}"


def show_source(name, title, here):
    text = (HERE / f"{name}.py").read_text(encoding="utf-8")
    content = (
        f'<p><a href="{escape(here)}/{escape(name)}">← {escape(title)}</a></p>\n'
        f"<h1>{escape(name)}.py</h1>\n"
        f'<pre class="card" tabindex="0"><code>{escape(text)}</code></pre>'
    )
    return PAGE.format(title=f"{escape(name)}.py", style=STYLE, content=content)


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
    run(gallery)
