#!/usr/bin/env python3
# why: A socket that an old module keeps.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import socket
import string

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
if word:
    string.kept, other = socket.socketpair()
    other.sendall(word.encode())
elif hasattr(string, "kept"):
    print(string.kept.recv(99))
