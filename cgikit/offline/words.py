"""Words as a query: fields if one of them has a "=", otherwise keywords (RFC 3875 section 4.4)."""

import io
import os

from .. import process
from ..querystring import build, unquote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO


def request(
    script: str, words: list[str], typing: bool = False
) -> "tuple[dict[str, str], BinaryIO]":
    """Return the environment of a GET request for words, and its empty body.

    A first word that begins with "/" is a URL path with its query, which is encoded already; the others
    are plain text. With `typing` there are more words on standard input. Without any, QUERY_STRING of
    the environment is the query.
    """
    path, query = "", ""
    alone = not words and not typing
    if words and words[0].startswith("/"):
        path, _, query = words[0].partition("?")
        words = words[1:]
    if typing:
        from .typed import lines

        words = words + lines()
    given = process.environ()
    query = given.get("QUERY_STRING", "") if alone else with_words(query, words)
    return {**given, **variables(script, "GET", path, query)}, io.BytesIO()


def with_words(query: str, words: list[str]) -> str:
    """Return a query string with words of plain text added to it (str)."""
    if query or any("=" in word for word in words):
        return "&".join(filter(None, (query, build(fields(words)))))
    # Words are separated by "+", so a space inside a word must not become one.
    return "+".join(build([(word, "")])[:-1].replace("+", "%20") for word in words)


def fields(words: list[str]) -> list[tuple[str, str]]:
    """Return words of the form name=value as pairs; a word without "=" has the value ""."""
    return [word.partition("=")[::2] for word in words]


def variables(script: str, method: str, path: str, query: str) -> dict[str, str]:
    """Return the meta-variables of a request without a body (dict of str). `path` is encoded. What no
    word describes is as in the environment, if it is there.
    """
    info = unquote(path.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")
    supposed = {
        "GATEWAY_INTERFACE": "CGI/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "SCRIPT_NAME": "/" + os.path.basename(script),
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_SOFTWARE": "cgikit-offline",
    }
    given = process.environ()
    return {
        **{name: given.get(name, value) for name, value in supposed.items()},
        "CONTENT_LENGTH": "",
        "PATH_INFO": info,
        "QUERY_STRING": query,
        "REQUEST_METHOD": method,
    }
