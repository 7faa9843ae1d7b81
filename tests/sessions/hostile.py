"""What clients send for a session id and should not: a few hundred kinds, by family.

Run as a program, it makes one request with each, between two marks that a trace of its system calls
shows: `hostile.py DIRECTORY malformed|forged`.
"""

import base64
import os
import sys
from urllib.parse import quote

from cgikit import FileStore, Request, Response, Session
from cgikit.sessions.store import is_id, key_of, new_id

ID = "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_AbCdE"  # well formed, and nobody's


def malformed() -> list[str]:
    """Values of a Cookie header's session that are no ids."""
    kinds = [ID[:length] for length in range(43)]
    kinds += [ID + "A" * more for more in (*range(1, 43), 43, 100, 212, 213, 1_000, 4_000, 60_000)]
    for byte in (*range(1, 9), *range(10, 32), 127, *b" !\"#$%&'()*+,./:<>?@[\\]^`{|}~="):
        encoded = f"%{byte:02X}"
        kinds += [encoded + ID[1:], ID[:20] + encoded + ID[21:], ID[:42] + encoded, ID + encoded]
    kinds += [
        "%00" + ID[1:],
        ID[:42] + "%00",
        ID + "%00",
        ID + "%00.txt",
        "%00",
        "%0a" + ID,
        ID + "%0A",
    ]
    for word in (
        "é",
        "\u0131",
        "\u212a",
        "\uff21",
        "\u0661",
        "\u200b",
        "\U0001d400",
        "\u017f",
        "\ud800",
    ):
        raw = quote(word.encode("utf-8", "surrogatepass"))
        kinds += [raw + ID[1:], ID[:42] + raw, ID + raw]
    kinds += [ID[:42] + last for last in "BCDFGHJKLNOPRSTVWXZabdefhijlmnpqrtuvxyz1235679-_"]
    up = (
        "..",
        "../",
        "..%2f",
        "%2e%2e/",
        "%2e%2e%2f",
        "..\\",
        "..%5c",
        "....//",
        "..;/",
        "%252e%252e%252f",
    )
    ends = ("etc/passwd", "etc%2fpasswd%00", "purged", ID, key_of(ID))
    kinds += [step * times + end for step in up for times in (1, 4) for end in ends]
    kinds += [f"/{end}" for end in ends] + [f"%2F{end}" for end in ends]
    kinds += [
        "/dev/zero",
        "/proc/self/environ",
        "|id",
        "$(id)",
        "`id`",
        "-rf",
        "--",
        "~root",
        "*",
        "?" * 43,
    ]
    kinds += [
        key_of(ID),
        key_of(ID)[:43] + "!",
        key_of(ID) + ".new",
        ID + ".new",
        ID + "=",
        ID + "==",
    ]
    kinds += [
        "file:///etc/passwd",
        "http://localhost/",
        "\\\\host\\share",
        "con",
        "nul",
        "%s%s%n",
        "{0}",
    ]
    kinds += [
        base64.b64encode(bytes([255]) * 32).decode(),
        base64.b64encode(bytes([251]) * 32).decode(),
    ]
    return list(dict.fromkeys(kinds))


def forged() -> list[str]:
    """Values that have the form of an id and are nobody's."""
    kinds = [new_id() for _ in range(60)]
    kinds += [ID[:i] + ("Z" if ID[i] != "Z" else "Y") + ID[i + 1 :] for i in range(42)]
    kinds += [ID, ID[:42].swapcase() + "E", "A" * 43, "-" * 42 + "E", "_" * 42 + "0", "0" * 43]
    kinds += [quote(ID).replace("A", "%41"), f'"{ID}"', "".join(f"%{ord(c):02x}" for c in ID)]
    return kinds


def ask(store: FileStore, cookie: str) -> None:
    """A request that reads the session and stores nothing."""
    session = Session(store, Request({"HTTP_COOKIE": f"session={cookie}"}))
    assert dict(session) == {}
    assert session.id is None
    response = Response()
    session.save(response)
    assert response.headers.getlist("Set-Cookie") == []


def main() -> None:
    kinds, name = malformed(), None
    if sys.argv[2] == "forged":
        kinds, name = forged(), "session"  # its own is made of the real path, which takes calls
    store = FileStore(sys.argv[1], sweep_chance=0, cookie=name)
    ask(store, new_id())  # what is imported is imported by now
    for text in ("%e9", "%252"):
        ask(store, text)
    os.path.exists("/mark/begin")
    for kind in kinds:
        ask(store, kind)
    os.path.exists("/mark/end")
    print(len(kinds), sum(map(is_id, kinds)))


if __name__ == "__main__":
    main()
