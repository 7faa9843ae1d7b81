#!/usr/bin/env python3
"""Print the header, then read the body, and say what came. Knows nothing of cgikit."""

import hashlib
import os
import sys

sys.stdout.write("Content-Type: text/plain\n\n")
sys.stdout.flush()
length = os.environ.get("CONTENT_LENGTH", "")
if "HTTP_TRANSFER_ENCODING" in os.environ and not length:
    sys.stdin.buffer.read()  # as in seen.py
body = sys.stdin.buffer.read(int(length)) if length.isdigit() else b""
print(len(body), hashlib.sha256(body).hexdigest()[:12])
