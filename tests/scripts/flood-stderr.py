#!/usr/bin/env python3
"""Writes as many MiB to stderr as the query string says, then reads its input and counts it."""

import os
import sys

line = b"e" * 8_191 + b"\n"
for _ in range(int(os.environ["QUERY_STRING"]) * 128):
    sys.stderr.buffer.write(line)
sys.stderr.flush()
print(f"Content-Type: text/plain\n\n{len(sys.stdin.buffer.read())}")
