#!/usr/bin/env python3
"""Say what the server gave, as JSON. Knows nothing of cgikit: it is the server that is looked at."""

import hashlib
import json
import os
import sys

length = os.environ.get("CONTENT_LENGTH", "")
# A body without a length is none for a script; it is taken off the pipe so that no writer meets a
# closed one, which would make the answer a matter of luck.
if "HTTP_TRANSFER_ENCODING" in os.environ and not length:
    sys.stdin.buffer.read()
body = sys.stdin.buffer.read(int(length)) if length.isdigit() else b""
seen = {
    "environ": dict(os.environ),
    "arguments": sys.argv[1:],
    "command_line": " ".join(sys.argv[1:]),
    "directory": os.path.basename(os.getcwd()),
    "length": len(body),
    "sha256": hashlib.sha256(body).hexdigest(),
    "body": body[:1000].decode("latin-1"),
}
print("Content-Type: application/json\n")
print(json.dumps(seen))
