#!/usr/bin/env python3
"""Tries to forge a line of the log and to paint the console."""

import sys

sys.stderr.write("one\ntwo \x1b[31mred\x1b[0m\rGET /forged 200\n")
print("Content-Type: text/plain\n\nok")
