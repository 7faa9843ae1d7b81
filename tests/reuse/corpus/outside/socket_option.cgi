#!/usr/bin/env python3
# why: The options of a socket that is kept.
# first: GET /?7731
# second: GET /
# never: 15462
import os
import socket
import string

size = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
if size:
    string.kept = socket.socket()
    string.kept.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, int(size))
elif hasattr(string, "kept"):
    print(string.kept.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF))
