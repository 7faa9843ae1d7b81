"""A session in Redis that counts its visits: what several machines would run, each with a load of its
own.
"""

import os

from cgikit import WSGI, RedisStore, Request


def visits(request: Request) -> str:
    """Count this visit, and say how many there were."""
    request.session["visits"] = request.session.get("visits", 0) + 1
    return str(request.session["visits"])


application = WSGI(visits, sessions=RedisStore(os.environ["SESSIONS"]))
