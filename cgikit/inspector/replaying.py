"""Sends a recorded request to the host again, in this process (PEP 3333). The answer is not kept: the
recorder sees what matters of it.
"""

import io
import os
import time
from collections.abc import Callable
from typing import Any

from cgikit.host.answer import AnswerCut
from cgikit.host.environ import ServerRequest
from cgikit.host.wsgi import Host
from cgikit.querystring import unquote

from .asking import Asked
from .exchange import Exchange
from .recorder import Recorder, watched

_MAX_ANSWER = 64 << 20  # bytes that are read of an answer
_MAX_TIME = 30.0  # seconds after which the end of an answer is not waited for


def replay(
    host: Host, recorder: Recorder, asked: Asked, of: int, gone: Callable[[], bool]
) -> Exchange:
    """Send a request, wait for its answer, and return what was seen of it.

    `of` is the number of the request that it repeats; `gone` says whether nobody waits any more. A
    script that still prints after 30 seconds, or more than 64 MiB, is stopped.
    """
    exchange = recorder.begin(asked.request, replay_of=of)
    until = time.monotonic() + _MAX_TIME
    size = 0
    try:
        answer = host(environ_of(asked, gone), watched(lambda *_: None, exchange))
    finally:
        recorder.leave(exchange)
    try:
        for piece in answer:
            size += len(piece)
            if size > _MAX_ANSWER or time.monotonic() > until:
                break
    except AnswerCut:  # the host has logged why, and the page of the request shows it
        pass
    finally:
        answer.close()
    return exchange


def environ_of(asked: Asked, gone: Callable[[], bool]) -> dict[str, Any]:
    """Return the WSGI environment of a request. The inverse of `host.wsgi.server_request`."""
    request: ServerRequest = asked.request
    path = unquote(os.fsencode(request.path)).decode("latin-1")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": _wsgi(request.method),
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": _wsgi(request.query),
        "REQUEST_URI": _wsgi(request.target),
        "CONTENT_TYPE": _wsgi(request.content_type),
        "SERVER_NAME": request.server_name,
        "SERVER_PORT": request.server_port,
        "SERVER_PROTOCOL": request.protocol,
        "REMOTE_ADDR": request.remote_addr,
        "REMOTE_PORT": request.remote_port,
        "wsgi.url_scheme": request.scheme,
        "wsgi.input": io.BytesIO(asked.body or b""),
        "waitress.client_disconnected": gone,
    }
    if asked.body is not None:
        environ["CONTENT_LENGTH"] = str(len(asked.body))
    for name, value in request.headers:
        environ["HTTP_" + name.upper().replace("-", "_")] = _wsgi(value)
    return environ


def _wsgi(text: str) -> str:
    """Return native text as WSGI has it: bytes as ISO-8859-1."""
    return os.fsencode(text).decode("latin-1")
