#!/usr/bin/env python3
"""Say what the server gave: environment, body, interpreter. Needs the standard library only.

With `complain` in the query it says something on standard error, too.
"""

import json
import os
import sys

length = int(os.environ.get("CONTENT_LENGTH") or 0)
body = sys.stdin.buffer.read(length)
if "complain" in os.environ.get("QUERY_STRING", ""):
    print("probe.py was here", file=sys.stderr)
seen = {
    "environ": dict(os.environ),
    "body": body.decode("latin-1"),
    "uid": os.getuid(),
    "python": sys.version_info[:3],
    "directory": os.getcwd(),
}
sys.stdout.write("Content-Type: application/json\n\n")
json.dump(seen, sys.stdout, indent=1)
