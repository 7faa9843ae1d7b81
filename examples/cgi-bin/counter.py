#!/usr/bin/env python3
"""The hit counter: a picture of the number, or its text, in a page of your own.

The classic: TextCounter and the WWW Homepage Access Counter told visitors how many they were.

Its holes: Two visitors at once were counted as one, and a crash set the counter to 1; what
the visitor sent went to a shell, and with it commands (CVE-1999-1479).

This one: The number is added under a lock and no crash can damage it. It is drawn as SVG, in the
style that the query names, one of three. Who comes again within an hour is not counted again.
"""

from cgikit import Counter, Request, Response, escape, run

FILE = "data/visitors.dat"  # the number in digits: the file of an old script goes on
AGAIN = 3600  # seconds until a visitor counts again

PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Hit counter</title>
<style>{style}
figure {{ text-align: center; margin: 0 0 1rem }}
figure svg {{ display: block; margin: .5rem auto 1rem; height: auto }}
figcaption {{ font-size: .9rem }}
</style>
<main>
<h1>You are visitor number {count}</h1>
<p class="lead">Put the number into a page of your own, as a picture or as text.</p>
{samples}
<figure class="card"><p>{count}</p>
<figcaption><code>{text}</code></figcaption></figure>
</main>
"""

# Which of the seven bars of a digit are lit: top, upper right, lower right, bottom, lower left, upper
# left, middle.
LIT = ["111111 ", " 11    ", "11 11 1", "1111  1", " 11  11",
       "1 11 11", "1 11111", "111    ", "1111111", "1111 11"]  # fmt: skip
BARS = ["8,4 32,4 28,9 12,9", "34,6 34,29 29,25 29,11", "34,33 34,56 29,51 29,37",
        "8,58 32,58 28,53 12,53", "6,33 11,37 11,51 6,56", "6,6 11,11 11,25 6,29",
        "8,31 12,28 28,28 32,31 28,34 12,34"]  # fmt: skip


def plain(digit):
    return f'<text x="20" y="46" font-size="44" text-anchor="middle" fill="#3f74e0">{digit}</text>'


def led(digit):
    bars = "".join(
        f'<polygon points="{points}" fill="{"#ff3b30" if lit == "1" else "#3a0d0b"}"/>'
        for points, lit in zip(BARS, LIT[digit], strict=True)
    )
    return f'<rect width="40" height="62" fill="#160504"/>{bars}'


def odometer(digit):
    before, after = (digit - 1) % 10, (digit + 1) % 10
    column = "".join(
        f'<text x="20" y="{y}" font-size="38" text-anchor="middle" fill="#f5f5f4">{shown}</text>'
        for y, shown in ((9, before), (45, digit), (81, after))
    )
    return (
        f'<rect x="1" width="38" height="62" fill="#1c1917"/>{column}'
        '<rect x="1" width="38" height="62" fill="url(#drum)"/>'
    )


STYLES = {"plain": plain, "led": led, "odometer": odometer}
DRUM = (
    '<defs><linearGradient id="drum" x2="0" y2="1"><stop stop-opacity=".85"/>'
    '<stop offset=".4" stop-opacity="0"/><stop offset=".6" stop-opacity="0"/>'
    '<stop offset="1" stop-opacity=".85"/></linearGradient></defs>'
)


def picture(number, style, digits):
    """Return the number as an SVG image, one cell of 40 by 62 a digit."""
    text = f"{number:0{digits}d}"
    width = 40 * len(text)
    cells = "".join(
        f'<svg x="{40 * place}" width="40" height="62">{STYLES[style](int(digit))}</svg>'
        for place, digit in enumerate(text)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="62" '
        f'viewBox="0 0 {width} 62" role="img" '
        f'aria-label="{text}" font-family="ui-monospace, monospace" font-weight="bold">'
        f"{DRUM if style == 'odometer' else ''}{cells}</svg>"
    )


def counter(request: Request):
    style = request.query.getchoice("style", [*STYLES, "text"], default=None)
    digits = request.query.getint("digits", default=6, min=1, max=12)
    # Programs that check links send HEAD, and nobody sees its answer.
    seen = "visited" in request.cookies or request.method != "GET"
    count = Counter(FILE).value if seen else Counter(FILE).increment()
    if style is None:
        answer = Response.html(show_all(request, count, digits))
    elif style == "text":
        answer = Response.text(f"{count:0{digits}d}")
    else:
        answer = Response(picture(count, style, digits), content_type="image/svg+xml")
    answer.set_cookie("visited", "1", max_age=AGAIN)
    answer.cache_control = "no-store"  # or the browser would show yesterday's number
    return answer


def show_all(request: Request, count, digits):
    here = request.script_name
    samples = "".join(
        f'<figure class="card">{picture(count, style, digits)}<figcaption><code>'
        + escape(f'<img src="{here}?style={style}&digits={digits}" alt="Visitors">')
        + "</code></figcaption></figure>\n"
        for style in STYLES
    )
    text = escape(f"fetch('{here}?style=text').then(answer => answer.text())")
    return PAGE.format(style=STYLE, count=count, samples=samples, text=text)


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
    run(counter)
