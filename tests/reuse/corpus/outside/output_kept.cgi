#!/usr/bin/env python3
# why: The stream of the first visitor, or one that writes to where the second one reads.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import io
import os
import string
import sys

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n", flush=True)
kept = getattr(string, "kept", None)
if kept is not None:
    kept.flush()
if word:
    string.kept = io.TextIOWrapper(io.FileIO(1, "w", closefd=False), write_through=False)
    string.kept.write(word)
    sys.stdout.flush()
