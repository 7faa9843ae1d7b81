"""Hostile input takes linear time (S16, S17): the work is counted, see `work.py`, never timed.

Each family is a shape of input that has made some parser quadratic, at sizes that double: the work may
grow by 2.5 at most. Counting stops at a few hundred KiB because counted code is slow; a quadratic
parser shows at any size, which the last test proves of the counter itself.
"""

import contextlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from work import Work, growth, instrumented

from cgikit import CGIError, Limits

SIZE = 4096
RATIO = 2.5
ROOMY = Limits(fields=10**9, cookies=10**9, files=10**9, part_header=10**9, part_headers=10**9)
#: The push parser looks for the end of a header line again with each chunk: the limit bounds that.
CUT = Limits(fields=10**9, files=10**9)

WORK = Work()
querystring, cookies, parameters, dates, accept, *_, multipart, _ = instrumented(
    WORK,
    "cgikit.querystring",
    "cgikit.cookies",
    "cgikit.parameters",
    "cgikit.dates",
    "cgikit.accept",
    "cgikit.delimiters",
    "cgikit.partheader",
    "cgikit.multipart",
    "multipart",
)


def fill(piece: str, n: int) -> str:
    return piece * (n // len(piece))


QUERIES: dict[str, Callable[[int], str]] = {
    "ampersands": lambda n: "&" * n,
    "ampersands around one field": lambda n: "&" * n + "a" + "&" * n,
    "equals": lambda n: "=" * n,
    "empty fields": lambda n: fill("&=", n),
    "blank fields": lambda n: fill("a&", n),
    "one name": lambda n: fill("a=1&", n),
    "percents": lambda n: "%" * n,
    "bad escapes": lambda n: fill("%zz", n),
    "half escapes": lambda n: fill("%4", n),
    "bad escapes before NUL": lambda n: fill("%\0", n),
    "bad escapes before good ones": lambda n: fill("%%41", n),
    "bad escapes among all bytes": lambda n: fill("%" + "".join(map(chr, range(256))), n),
    "good escapes": lambda n: fill("%41", n),
    "one bad escape after many": lambda n: fill("%41", n) + "%",
    "bad fields": lambda n: fill("%z=%&", n),
    "marks": lambda n: fill("\x1e\x1f", n),
    "escaped marks": lambda n: fill("%1e%1f&", n),
    "backslashes": lambda n: "\\" * n,
    "bytes that are not UTF-8": lambda n: fill("%ff", n),
    "pluses": lambda n: "+" * n,
    "one long value": lambda n: "a=" + "b" * n,
}


@pytest.mark.parametrize("family", QUERIES)
@pytest.mark.parametrize("errors", ["replace", "strict"])
def test_query_strings(family: str, errors: str) -> None:
    check(lambda n: querystring.parse(QUERIES[family](n), errors=errors, limits=ROOMY))


@pytest.mark.parametrize("family", QUERIES)
def test_query_strings_with_semicolons_and_keywords(family: str) -> None:
    check(
        lambda n: querystring.parse(
            QUERIES[family](n).replace("&", ";"), semicolons=True, limits=ROOMY
        )
    )
    check(lambda n: querystring.keywords(QUERIES[family](n)))


COOKIES: dict[str, Callable[[int], str]] = {
    "semicolons": lambda n: ";" * n,
    "equals": lambda n: "=" * n,
    "spaces": lambda n: " " * n + "a=1",
    "spaces between": lambda n: fill("a=1;   ", n),
    "quotes": lambda n: 'a="' + '"' * n,
    "one name": lambda n: fill("a=1;", n),
    "no names": lambda n: fill("=;", n),
    "controls": lambda n: fill("a=\x01;", n),
    "escapes": lambda n: fill("a=%41;", n),
    "bad escapes": lambda n: "a=" + "%" * n,
    "not ASCII": lambda n: fill("ü=\udcff;", n),
}


@pytest.mark.parametrize("family", COOKIES)
def test_cookies(family: str) -> None:
    check(lambda n: cookies.parse(COOKIES[family](n), limits=ROOMY))


HEADERS: dict[str, Callable[[int], str]] = {
    "semicolons": lambda n: ";" * n,
    "semicolons before an equals sign": lambda n: ";" * n + "=",
    "words before an equals sign": lambda n: fill("a;", n) + "b=c",
    "equals": lambda n: ";" + "=" * n,
    "spaces": lambda n: "a;" + " " * n + "b" + " " * n + "=" + " " * n + "c" + " " * n,
    "spaces after equals": lambda n: ";" + fill("a= ", n),
    "quotes": lambda n: ";a=" + '"' * n,
    "unclosed quotes": lambda n: fill(';a="', n),
    "closed quotes": lambda n: fill(';a=""', n),
    "backslashes in quotes": lambda n: ';a="' + "\\" * n + '"',
    "backslashes in unclosed quotes": lambda n: ';a="' + "\\" * n,
    "escaped quotes": lambda n: ';a="' + fill('\\"', n) + '"',
    "escaped quotes, unclosed": lambda n: ';a="' + fill('\\"', n),
    "repeated boundaries": lambda n: "multipart/form-data" + fill("; boundary=x", n),
    "many names": lambda n: "a" + "".join([f";p{i}=1" for i in range(n // 8)]),
}


@pytest.mark.parametrize("family", HEADERS)
def test_header_parameters(family: str) -> None:
    check(lambda n: parameters.parse_header(HEADERS[family](n)))
    check(lambda n: list(parameters.split_list(HEADERS[family](n).replace(";", ","))))


PREFERENCES: dict[str, Callable[[int], str]] = {
    **HEADERS,
    "commas": lambda n: "," * n,
    "members": lambda n: fill("a/b,", n),
    "parameters": lambda n: fill("a/b;c=d,", n),
    "parameters of one member": lambda n: "a/b" + "".join([f";p{i}=1" for i in range(n // 8)]),
    "weights": lambda n: fill("a;q=0.1,", n),
    "a long weight": lambda n: "a;q=0." + "1" * n,
    "commas in quotes": lambda n: 'a/b;c="' + "," * n + '"',
    "quoted members": lambda n: fill('a/b;c="d",', n),
    "one subtag": lambda n: "a" * n,
    "subtags": lambda n: fill("a-", n),
}


@pytest.mark.parametrize("family", PREFERENCES)
@pytest.mark.parametrize(
    ("function", "offered"),
    [("types", "a/b;c=d"), ("languages", "a-a"), ("charsets", "a"), ("encodings", "a")],
)
def test_preferences(family: str, function: str, offered: str) -> None:
    check(lambda n: getattr(accept, function)(PREFERENCES[family](n), [offered, offered]))


DATES: dict[str, Callable[[int], str]] = {
    "spaces": lambda n: " " * n,
    "commas": lambda n: "," * n,
    "digits": lambda n: "1" * n,
    "colons": lambda n: "Sun, 06 Nov 1994 " + ":" * n + " GMT",
    "words": lambda n: fill("a ", n),
    "long year": lambda n: "Sun, 06 Nov " + "1" * n + " 08:49:37 GMT",
    "dots": lambda n: "+" + "." * n + "h",
}


@pytest.mark.parametrize("family", DATES)
@pytest.mark.parametrize("function", ["parse_http_date", "moment", "parse_date", "parse_datetime"])
def test_dates(family: str, function: str) -> None:
    check(lambda n: attempt(getattr(dates, function), DATES[family](n)))


def many(parameter: bytes, n: int) -> bytes:
    return b"".join([parameter % i for i in range(n // len(parameter))])


HEAD = b'--b\r\nContent-Disposition: form-data; name="a"'
PARTS: dict[str, Callable[[int], bytes]] = {
    "one header line": lambda n: HEAD + b"; x=" + b"y" * n + b"\r\n\r\n\r\n--b--",
    "header fields": lambda n: HEAD + b"\r\nX: y" * (n // 6) + b"\r\n\r\n\r\n--b--",
    "parameters": lambda n: (
        HEAD + b"".join([b"; x%d=y" % i for i in range(n // 8)]) + b"\r\n\r\n\r\n--b--"
    ),
    "semicolons": lambda n: HEAD + b";" * n + b"\r\n\r\n\r\n--b--",
    "semicolons before an equals sign": lambda n: HEAD + b";" * n + b"x=y\r\n\r\n\r\n--b--",
    "equals": lambda n: HEAD + b";x" + b"=" * n + b"\r\n\r\n\r\n--b--",
    "spaces": lambda n: HEAD + b";x" + b" " * n + b"=" + b" " * n + b"y\r\n\r\n\r\n--b--",
    "escaped quotes": lambda n: HEAD + b'; x="' + b'\\"' * (n // 2) + b"\r\n\r\n\r\n--b--",
    "folded lines": lambda n: HEAD + b"\r\n ;" * (n // 4) + b"\r\n\r\n\r\n--b--",
    "padding": lambda n: b"--b" + b" " * n + b"\r\n" + HEAD[5:] + b"\r\n\r\n\r\n--b--",
    "parts without a body": lambda n: (HEAD + b"\r\n\r\n") * (n // len(HEAD)) + b"--b--",
    "text after the end": lambda n: HEAD + b"\r\n\r\n\r\n--b--\r\n" + b"\n--" * (n // 3),
    "quotes": lambda n: HEAD + b'; filename="' + b'"' * n + b"\r\n\r\n\r\n--b--",
    "backslashes": lambda n: HEAD + b'; filename="' + b"\\" * n + b'"\r\n\r\n\r\n--b--',
    "parts": lambda n: (HEAD + b"\r\n\r\n\r\n") * (n // len(HEAD)) + b"--b--",
    "line ends": lambda n: HEAD + b"\r\n\r\n" + b"\r\n" * (n // 2) + b"\r\n--b--",
    "near boundaries": lambda n: HEAD + b"\r\n\r\n" + b"\r\n--" * (n // 4) + b"\r\n--b--",
    "nearer boundaries": lambda n: HEAD + b"\r\n\r\n" + b"\r\n--c" * (n // 5) + b"\r\n--b--",
    "carriage returns": lambda n: HEAD + b"\r\n\r\n" + b"\r" * n + b"\r\n--b--",
    "preamble": lambda n: b"x" * n + b"\r\n" + HEAD + b"\r\n\r\n\r\n--b--",
    "preamble of line ends": lambda n: b"\r\n" * (n // 2) + HEAD + b"\r\n\r\n\r\n--b--",
    "epilogue": lambda n: HEAD + b"\r\n\r\n\r\n--b--" + b"\r\n--b" * (n // 5),
    "no boundary at all": lambda n: b"-" * n,
}


@pytest.mark.parametrize("family", PARTS)
@pytest.mark.parametrize(("chunk", "limits"), [(1 << 30, ROOMY), (97, CUT)], ids=["whole", "cut"])
def test_multipart(family: str, chunk: int, limits: Limits) -> None:
    """The push parser's own source is counted as well."""

    def run(n: int) -> None:
        body = PARTS[family](n)
        chunks = [body[at : at + chunk] for at in range(0, len(body), chunk)]
        events = multipart.parse(chunks, "x; boundary=b", length=len(body), limits=limits)
        attempt(lambda _: list(events), None)

    check(run)


def attempt(call: Callable[[Any], Any], value: Any) -> None:
    """Refusing is an answer too, and must not take longer."""
    with contextlib.suppress(CGIError, ValueError):
        call(value)


def check(run: Callable[[int], Any]) -> None:
    ratios = growth(lambda n: attempt(run, n), WORK, SIZE)
    assert WORK.done > 0
    assert max(ratios) <= RATIO, f"work grows by {ratios} when the input doubles"


# --- the counter itself -----------------------------------------------------------------------

QUADRATIC = {
    "a search from each position": """
def f(s):
    i = 0
    while i < len(s):
        s.find("=", i)
        i += 1
""",
    "the rest copied": """
def f(s):
    while s:
        s = s[1:]
""",
    "a text that grows": """
def f(s):
    t = ""
    for c in s:
        t = t + c
""",
    "a list looked through": """
def f(s):
    seen = []
    for i, c in enumerate(s):
        if i not in seen:
            seen.append(i)
""",
    "a loop in a loop": """
def f(s):
    for a in s:
        for b in s:
            pass
""",
    "a loop in a comprehension": """
def f(s):
    return [[b for b in s] for a in s]
""",
    "a method on the rest": """
def f(s):
    for i in range(len(s)):
        s.partition(";")
""",
}

LINEAR = """
def f(s):
    out = []
    for p in s.split(";"):
        out.append(p.strip())
    return "".join(out)
"""


def counted(source: str) -> tuple[ModuleType, Work]:
    import ast

    from work import Instrument

    work, module = Work(), ModuleType("snippet")
    module.__dict__["_work"] = work
    tree = ast.fix_missing_locations(Instrument().visit(ast.parse(source)))
    exec(compile(tree, "snippet", "exec"), module.__dict__)
    return module, work


@pytest.mark.parametrize("name", QUADRATIC)
def test_the_counter_sees_what_is_quadratic(name: str) -> None:
    module, work = counted(QUADRATIC[name])
    assert min(growth(lambda n: module.f("a" * n), work, 64)) > 3.5


def test_the_counter_sees_what_is_linear() -> None:
    module, work = counted(LINEAR)
    assert max(growth(lambda n: module.f("a;" * n), work, 64)) < 2.1
