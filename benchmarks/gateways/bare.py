"""The least that one process for each request costs in Python: accept, fork, answer, exit.

A FastCGI server that knows one answer. It has imported what the scripts import, as `cgikit fastcgi`
has; it finds no script, sets no environment, makes no pipe, looks at no output, has no limits. Its
listening socket is descriptor 0.
"""

import gc
import os
import socket

import cgikit.querystring
import cgikit.response
import cgikit.script  # noqa: F401


def record(kind: int, content: bytes) -> bytes:
    """Return a record of request 1."""
    return bytes((1, kind, 0, 1)) + len(content).to_bytes(2, "big") + b"\0\0" + content


ANSWER = (
    record(
        6, "Content-Type: text/html; charset=utf-8\r\n\r\n<p>Hello, Zoë &amp; Co!</p>\n".encode()
    )
    + record(6, b"")
    + record(3, bytes(8))
)
END_OF_BODY = record(5, b"")


def main() -> None:
    """Serve until a signal ends it."""
    listener = socket.socket(fileno=0)
    children = 0
    gc.freeze()
    gc.disable()
    while True:
        connection, _ = listener.accept()
        if os.fork() == 0:
            received = b""
            while not received.endswith(END_OF_BODY):
                piece = connection.recv(65536)
                if not piece:  # who only looks whether somebody listens would keep a processor busy
                    os._exit(1)
                received += piece
            connection.sendall(ANSWER)
            os._exit(0)
        connection.close()
        children += 1
        while children and os.waitpid(-1, os.WNOHANG)[0]:
            children -= 1


if __name__ == "__main__":
    main()
