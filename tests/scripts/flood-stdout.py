#!/usr/bin/env python3
"""Writes as many MiB as the query string says."""

import os
import sys

print("Content-Type: application/octet-stream\n", flush=True)
for _ in range(int(os.environ["QUERY_STRING"])):
    sys.stdout.buffer.write(b"x" * 1_048_576)
