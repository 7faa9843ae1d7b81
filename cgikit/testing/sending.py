"""What a request of a test sends: one of several kinds of bodies, and the query of a URL.

Values in, bytes out. `formbody.py` writes the bodies of forms.
"""

import json

from .. import querystring
from ..formbody import URLENCODED, Fields, Files, multipart, pairs, urlencoded


def body(
    data: Fields | None = None,
    files: Files | None = None,
    json_value: object = None,
    content: bytes | str | None = None,
) -> tuple[bytes | None, str]:
    """Return the body (None if there is nothing to send) and its Content-Type, "" if it has none.

    `data` are text fields: urlencoded, or multipart if there are `files`. `TypeError` if more than one
    kind of body is given, or if `data` is not fields.
    """
    given = [data is not None or files is not None, json_value is not None, content is not None]
    if sum(given) > 1:
        raise TypeError("a request has one body: give data and files, or json, or content")
    if isinstance(data, bytes | str):
        raise TypeError("data are the fields of a form; give a raw body as content")
    if content is not None:
        return content.encode() if isinstance(content, str) else bytes(content), ""
    if json_value is not None:
        return json.dumps(json_value).encode(), "application/json"
    if files is not None:
        return multipart(data or (), files)
    if data is not None:
        return urlencoded(data), URLENCODED
    return None, ""


def query(url: str, params: Fields | None) -> str:
    """Return a URL with more fields in its query."""
    more = querystring.build(pairs(params)) if params is not None else ""
    if not more:
        return url
    path, mark, rest = url.partition("?")
    return f"{path}?{rest}{'&' if mark and rest else ''}{more}"
