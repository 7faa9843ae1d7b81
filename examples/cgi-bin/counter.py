#!/usr/bin/env python3
"""The counter as a picture, in the old styles: counter.py?style=led&digits=6 (plain, led, odometer)."""

from cgikit import Counter, Request, Response, escape, run

PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Counter</title>
<style>
  :root {{ color-scheme: light dark; background: Canvas }}
  body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem }}
  svg {{ display: block; margin: .5rem 0 }}
  code {{ font-size: .9rem; overflow-wrap: anywhere }}
</style>
<main>
<h1>Counter</h1>
<p>You are visitor number {count}. In a page, as a picture:</p>
{samples}
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
    return f'<text x="20" y="46" font-size="44" text-anchor="middle" fill="#1d4ed8">{digit}</text>'


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
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="62" role="img" '
        f'aria-label="{text}" font-family="ui-monospace, monospace" font-weight="bold">'
        f"{DRUM if style == 'odometer' else ''}{cells}</svg>"
    )


def counter(request: Request):
    style = request.query.getchoice("style", STYLES, default=None)
    digits = request.query.getint("digits", default=6, min=1, max=12)
    count = Counter("data/visitors.dat").increment()
    if style is None:
        return show_all(request, count, digits)
    answer = Response(picture(count, style, digits), content_type="image/svg+xml")
    answer.cache_control = "no-store"  # or the browser would show yesterday's number
    return answer


def show_all(request: Request, count, digits):
    samples = "".join(
        f"<p>{picture(count, style, digits)}<code>"
        + escape(f'<img src="{request.script_name}?style={style}&digits={digits}">')
        + "</code></p>\n"
        for style in STYLES
    )
    return PAGE.format(count=count, samples=samples)


if __name__ == "__main__":
    run(counter)
