"""Ports for servers that cannot be told to take any free one, or to say which they took."""

import os
import socket
from itertools import count

LOOPBACK = "127.0.0.1"

#: Below those that the system gives to clients and to servers that ask for any.
RANGE = range(10_000, 30_000)

_next = count(os.getpid() * 7)
_taken: list[socket.socket] = []


def free_port(host: str = LOOPBACK) -> int:
    """A loopback port that nobody listens on, and no other run of tests on this machine will be given.

    Other programs may still take it before a server does: then start that server again.
    """
    for _ in RANGE:
        port = RANGE[next(_next) % len(RANGE)]
        mine = socket.socket(socket.AF_UNIX)
        try:  # a name in Linux' abstract space, which ends with this process
            mine.bind(f"\0cgikit-tests-port-{port}")
        except OSError:
            mine.close()
            continue
        _taken.append(mine)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            socket.create_server((host, port), family=family).close()
        except OSError:
            continue
        return port
    raise AssertionError(f"no port is free in {RANGE}")
