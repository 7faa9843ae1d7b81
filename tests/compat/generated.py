"""Requests at random, from a seed: queries, urlencoded and multipart bodies, and others, good and
odd.
"""

import random
from typing import Any, NamedTuple

WORDS = [
    *("a", "b", "name", "", "x y", "ü", "%41", "%", "%zz", "a+b", "\0", "日本", "%C3%BC", "%E4%b8"),
    *("%ff", "a;b", '"', "'", "\\", "n" * 50, "&amp;"),
]
VALUES = [
    *(b"", b"v", b"1\r\n2", b"1\n2\n", b"\r\n", b"\n", b"\r", "ü日".encode(), b"\xff\xfe"),
    *(b"--XyZZ", b"--Xy", b"a\r\n--XyZ-b\r\nc", b"x" * 70_000, b"\r" * 5, b"x" * 1_500),
    *(b"--", b"y\r", b"z\r\r"),
]
NAMES = [
    *('name="a"', 'name="b"', "name=c", 'name="x;y"', 'name="q\\"q"', "", 'name=""', 'name="ü"'),
    *('NAME="d"', 'name = "e"'),
]
FILES = [
    *("", "", "", '; filename="f.txt"', '; filename=""', '; filename="C:\\dir\\f.txt"'),
    *("; filename=g.bin", '; filename="a;b.txt"'),
]
TYPES = [
    *(b"Content-Type: text/plain", b"Content-Type: image/png", b"Content-Length: 3"),
    *(b"content-type: text/plain; charset=latin-1", b"Content-Transfer-Encoding: binary"),
]
KINDS = [
    *("multipart/form-data; boundary=XyZ", 'multipart/form-data; boundary="XyZ"'),
    *("multipart/mixed; boundary=XyZ", "multipart/form-data; charset=utf-8; boundary=XyZ"),
]
ODD_KINDS = [
    *("multipart/form-data", "multipart/form-data; boundary="),
    "Multipart/Form-Data; boundary=XyZ",
]


class Made(NamedTuple):
    """A request: its variables, its body, and the arguments of `FieldStorage`."""

    environ: dict[str, str]
    body: bytes
    arguments: dict[str, Any]

    @property
    def kind(self) -> str:
        """The type of the body, as it was sent."""
        return self.environ.get("CONTENT_TYPE", "").partition(";")[0].strip()

    @property
    def length(self) -> int:
        """The length as it was sent, -1 for none."""
        length = self.environ.get("CONTENT_LENGTH", "")
        return int(length) if length.isdigit() else -1


def urlencoded(pick: random.Random) -> str:
    """A query, or a body of that form."""
    fields = []
    for _ in range(pick.randrange(6)):
        field = pick.choice(WORDS)
        if pick.random() < 0.85:
            field += "=" + pick.choice(WORDS)
        if pick.random() < 0.1:
            field += "=" + pick.choice(WORDS)
        fields.append(field)
    return pick.choice(["&", "&", "&", "&", "&&", ";"]).join(fields)


def multipart(pick: random.Random, boundary: bytes = b"XyZ", depth: int = 0) -> bytes:
    """A multipart body."""
    end = pick.choice([b"\r\n", b"\r\n", b"\r\n", b"\n"])
    delimiter = b"--" + boundary
    out = []
    if pick.random() < 0.1:
        out += [pick.choice([b"preamble", b"", b"--Xy", b"  ", b"--XyZ-"]), end]
    for _ in range(pick.randrange(5)):
        out += [delimiter, pick.choice([b"", b"", b"", b"", b" "]), end]
        out += [part(pick, end, depth), end]
    chance = pick.random()
    if chance < 0.85:
        out += [delimiter, b"--", pick.choice([b"", end, end, b" " + end])]
    elif chance < 0.9:
        out += [delimiter, pick.choice([b"", end])]
    if pick.random() < 0.05:
        out += [b"epilogue", end]
    return b"".join(out)


def part(pick: random.Random, end: bytes, depth: int) -> bytes:
    """One part, with its header."""
    name, file = pick.choice(NAMES), pick.choice(FILES)
    line = f"Content-Disposition: form-data; {name}{file}"
    if pick.random() < 0.3:
        line = pick.choice(
            [
                f"content-disposition:form-data;{name}{file}",
                f"CONTENT-DISPOSITION: form-data ; {name} {file}",
                f"Content-Disposition: form-data;\n {name}{file}",
                "X-Other: 1",
            ]
        )
    out = [line.encode(), end]
    chance = pick.random()
    content = pick.choice(VALUES)
    if chance < 0.3:
        out += [pick.choice(TYPES), end]
    elif chance < 0.36 and depth < 2:
        inner = f"In{depth}".encode()
        out += [b"Content-Type: multipart/mixed; boundary=", inner, end]
        content = multipart(pick, inner, depth + 1)
    elif chance < 0.38:
        out += [b"Content-Type: application/x-www-form-urlencoded", end]
    elif chance < 0.40:
        out += [pick.choice([b"no colon here", b"a b: c", b"From x"]), end]
    return b"".join([*out, end, content])


def arguments(pick: random.Random) -> dict[str, Any]:
    """Arguments of `FieldStorage`."""
    found: dict[str, Any] = {}
    if pick.random() < 0.5:
        found["keep_blank_values"] = pick.random() < 0.5
    if pick.random() < 0.05:
        found["strict_parsing"] = True
    if pick.random() < 0.1:
        found["max_num_fields"] = pick.randrange(1, 8)
    if pick.random() < 0.05:
        found["separator"] = ";"
    if pick.random() < 0.1:
        found["encoding"] = pick.choice(["latin-1", "utf-8", "ascii", "cp1252"])
    if pick.random() < 0.05:
        found["errors"] = pick.choice(["strict", "ignore", "surrogateescape"])
    return found


def request(pick: random.Random) -> Made:
    """A request."""
    variables = {"REQUEST_METHOD": "POST", "QUERY_STRING": ""}
    if pick.random() < 0.6:
        variables["QUERY_STRING"] = urlencoded(pick)
    body = b""
    chance = pick.random()
    if chance < 0.25:
        variables["REQUEST_METHOD"] = pick.choice(["GET", "HEAD", "get"])
    elif chance < 0.5:
        body = urlencoded(pick).encode()
        if pick.random() < 0.8:
            kind = "application/x-www-form-urlencoded"
            variables["CONTENT_TYPE"] = kind + pick.choice(["", " ; charset=utf-8"])
    elif chance < 0.93:
        body = multipart(pick)
        variables["CONTENT_TYPE"] = pick.choice(ODD_KINDS if pick.random() < 0.03 else KINDS)
    else:
        body = pick.choice([b"", b"{}", b"text\r\n\r\n", "ü".encode(), b"\xff"])
        kinds = ["application/json", "text/plain", "image/png", ""]
        variables["CONTENT_TYPE"] = pick.choice(kinds)
        variables["REQUEST_METHOD"] = pick.choice(["POST", "PUT", "DELETE"])
    if pick.random() < 0.9:
        more = pick.choice([1, 10]) if pick.random() < 0.03 else 0
        variables["CONTENT_LENGTH"] = str(len(body) + more)
    elif pick.random() < 0.2:
        variables["CONTENT_LENGTH"] = pick.choice(["", "x", "-1"])
    return Made(variables, body, arguments(pick))
