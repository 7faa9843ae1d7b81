#!/usr/bin/env python3
"""Reads its input piece by piece and says how long it was."""

import sys

size = 0
while data := sys.stdin.buffer.read(65_536):
    size += len(data)
print(f"Content-Type: text/plain\n\n{size}")
