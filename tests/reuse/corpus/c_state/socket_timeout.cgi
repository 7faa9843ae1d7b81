#!/usr/bin/env python3
# why: The time-out of all sockets that are made later.
# first: GET /?7731
# second: GET /
# never: 7731
import os
import socket

seconds = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(socket.getdefaulttimeout())
if seconds:
    socket.setdefaulttimeout(int(seconds))
