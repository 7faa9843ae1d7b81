#!/usr/bin/env python3
# why: Bytes of a buffer that is old change; the collector knows nothing of bytes.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os

import trees.buffer

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(bytes(trees.buffer.BUFFER))
if word:
    trees.buffer.BUFFER[:7] = word.encode()
