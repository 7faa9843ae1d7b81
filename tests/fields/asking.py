"""Requests for the tests of fields: first visits, forms that were sent by GET and by POST."""

import io

from posting import URLENCODED, environ

from cgikit import Limits, Request
from cgikit.limits import DEFAULT_LIMITS
from cgikit.querystring import build

Pairs = list[tuple[str, str]]


def first(**more: str) -> Request:
    """The first visit: nothing was sent."""
    return Request({"REQUEST_METHOD": "GET", "QUERY_STRING": "", **more}, io.BytesIO())


def by_get(*pairs: tuple[str, str], **more: str) -> Request:
    """A form that was sent by GET."""
    return first(QUERY_STRING=build(list(pairs)), **more)


def by_post(*pairs: tuple[str, str], limits: Limits = DEFAULT_LIMITS, **more: str) -> Request:
    """A form that was sent by POST."""
    body = build(list(pairs)).encode()
    return Request(environ(body, URLENCODED, **more), io.BytesIO(body), limits=limits)
