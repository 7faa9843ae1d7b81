#!/usr/bin/env python3
"""Writes until it is stopped."""

import os
import sys

sys.stderr.write(f"pid {os.getpid()}\n")
sys.stderr.flush()
print("Content-Type: text/plain\n", flush=True)
while True:
    sys.stdout.write("more and more and more\n" * 1000)
