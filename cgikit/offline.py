"""Requests from the command line, to try a script without a server.

Builds the meta-variables of RFC 3875 from the arguments, as the offline mode of CGI.pm does:
`name=value …`, words without `=` as ISINDEX keywords, or one `/path?query`. Without arguments
QUERY_STRING comes from the environment: `QUERY_STRING=a=1 ./x.py`. Not used if a server has set
REQUEST_METHOD.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO


def request(arguments: list[str]) -> "tuple[dict[str, str], BinaryIO]":
    """Return the environment and the empty body of a GET request for `arguments` (argv).

    Arguments with "=" are plain text and encoded here. A first argument that begins with "/" is a URL
    path with its query, which is encoded already.
    """
    import io
    import os

    from . import process
    from .querystring import build

    script, *words = arguments or [""]
    path, query = "", ""
    if words and words[0].startswith("/"):
        path, _, query = words.pop(0).partition("?")
    if words:
        if query or any("=" in word for word in words):
            pairs = [word.partition("=")[::2] for word in words]
            query = "&".join(filter(None, (query, build(pairs))))
        else:
            # Words are separated by "+", so a space inside a word must not become one.
            query = "+".join(build([(word, "")])[:-1].replace("+", "%20") for word in words)
    given = process.environ()
    if not arguments[1:]:
        query = given.get("QUERY_STRING", "")
    environ = {
        **given,
        "CONTENT_LENGTH": "",
        "GATEWAY_INTERFACE": "CGI/1.1",
        "PATH_INFO": _unquote(path),
        "QUERY_STRING": query,
        "REMOTE_ADDR": "127.0.0.1",
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "/" + os.path.basename(script),
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_SOFTWARE": "cgikit-offline",
    }
    return environ, io.BytesIO()


def _unquote(path: str) -> str:
    from .querystring import unquote

    return unquote(path.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")
