#!/usr/bin/env python3
# why: The bytes of a buffer change; the collector knows nothing of bytes.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os

from kept_bytes import BUFFER

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(bytes(BUFFER))
if word:
    BUFFER[:7] = word.encode()
