#!/usr/bin/env python3
# why: A port on which the process goes on listening.
# first: GET /?yes
# second: GET /
# never: taken
import os
import socket
import string

print("Content-Type: text/plain\n")
kept = getattr(string, "kept", None)
if kept is not None:
    with socket.socket() as other:
        print("taken" if other.connect_ex(kept.getsockname()) == 0 else "free")
if os.environ["QUERY_STRING"]:
    string.kept = socket.create_server(("127.0.0.1", 0))
