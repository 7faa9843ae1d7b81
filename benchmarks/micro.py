"""In one process: cgikit's parsers and the standard library's on the same input, alternating.

Run by run.py with the virtual environment's interpreter; prints JSON. `python3 micro.py first NAME`
times the first call in a fresh process instead, which is what a CGI script pays.
"""

import json
import sys
from collections.abc import Callable
from time import perf_counter

PLAIN = ["name", "size", "first-name", "city", "e-mail", "q"]
NAMES = ["straße", "größe", "prénom", "city", "e-mail", "q"]
VALUES = [
    "Zoë & Söhne, Köln",
    "50% off: a=b",
    "naïve café",
    "東京都",
    "x@example.org",
    "plain words",
]
REPEATS = 200
LONG = 1 << 20  # characters; such an input is hostile, and takes them seconds
LONG_REPEATS = 4


def _quote(text: str, safe: str) -> str:
    return "".join(c if c.isascii() and (c.isalnum() or c in safe) else _escape(c) for c in text)


def _escape(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode())


def _fields(names: list[str], values: list[str], count: int = 1000) -> str:
    """Build `count` different fields, as a browser encodes them."""
    pairs = (
        f"{_quote(f'{names[i % len(names)]}{i}', '-._*')}="
        f"{_quote(f'{values[i % len(values)]} {i}', '-._* ').replace(' ', '+')}"
        for i in range(count)
    )
    return "&".join(pairs)


def _cookies(fourth: str) -> str:
    """Build 20 cookies, as a browser sends them: plain, quoted, base64, and one kind to choose."""
    values = ["1", '"a b"', "c2Vzc2lvbg==", fourth, "GA1.2.1234567.1700000000"]
    return "; ".join(
        f"name{i}={values[i % len(values)]}{'' if i % 5 == 1 else i}" for i in range(20)
    )


def _ours_fields(text: str) -> object:
    from cgikit.querystring import parse

    return parse(text)


def _ours_cookies(text: str) -> object:
    from cgikit.cookies import parse

    return parse(text)


def _theirs_fields(text: str) -> object:
    from urllib.parse import parse_qsl

    return parse_qsl(text, keep_blank_values=True)


def _theirs_cookies(text: str) -> object:
    from http.cookies import SimpleCookie

    return SimpleCookie(text)


Parser = Callable[[str], object]
CASES: dict[str, tuple[str, Parser, Parser]] = {
    "fields": (_fields(NAMES, VALUES), _ours_fields, _theirs_fields),
    "fields-one-escape": (
        _fields(PLAIN, ["words with one single escape, here"]),
        _ours_fields,
        _theirs_fields,
    ),
    "fields-bad-escape": (_fields(NAMES, VALUES, 999) + "&bad=100%", _ours_fields, _theirs_fields),
    "percents": ("a=" + "%" * (8 << 20), _ours_fields, _theirs_fields),
    "cookies": (_cookies("caf%C3%A9"), _ours_cookies, _theirs_cookies),
    "cookies-plain": (_cookies("dark"), _ours_cookies, _theirs_cookies),
}


def pairs(result: object) -> list[tuple[str, str]]:
    """Return what a parser found as (name, value) pairs, to compare the two."""
    if hasattr(result, "pairs"):
        return list(result.pairs())
    if isinstance(result, dict):  # SimpleCookie leaves escapes as they are, ours decodes them
        from urllib.parse import unquote

        return [(name, unquote(morsel.value)) for name, morsel in result.items()]
    return list(result)  # type: ignore[call-overload]


def compare(name: str) -> dict[str, object]:
    """Check that both find the same, then return the best time of each (seconds)."""
    text, ours, theirs = CASES[name]
    if (found := pairs(ours(text))) != (expected := pairs(theirs(text))):
        odd = [both for both in zip(found, expected, strict=False) if both[0] != both[1]]
        raise SystemExit(f"{name}: {len(found)} and {len(expected)} pairs, first: {odd[:1]}")
    best = [float("inf"), float("inf")]
    for turn in range(2 * (REPEATS if len(text) < LONG else LONG_REPEATS)):
        which = (turn + turn // 2) % 2  # a b b a: neither always follows the other
        start = perf_counter()
        (ours, theirs)[which](text)
        best[which] = min(best[which], perf_counter() - start)
    return {"ours": best[0], "theirs": best[1], "bytes": len(text), "pairs": len(found)}


def first(name: str) -> dict[str, float]:
    """Time the very first call, the imports it causes included, theirs or ours (seconds)."""
    case, _, side = name.partition(":")
    text, ours, theirs = CASES[case]
    call = ours if side == "ours" else theirs
    start = perf_counter()
    call(text)
    return {"seconds": perf_counter() - start}


if __name__ == "__main__":
    if sys.argv[1:2] == ["first"]:
        print(json.dumps(first(sys.argv[2])))
    else:
        print(json.dumps({name: compare(name) for name in sys.argv[1:] or CASES}))
