#!/usr/bin/env python3
"""Sends its input back while it reads it."""

import sys

print("Content-Type: application/octet-stream\n", flush=True)
while data := sys.stdin.buffer.read(65_536):
    sys.stdout.buffer.write(data)
