#!/usr/bin/env python3
"""An NPH script that writes, and goes on only when it is told to by another request: `?go`.

Who is not told until then that the first line has been written cannot tell it to.
"""

import os
import time

MOST = 6.0  # seconds; only where the first line is held back does it wait so long
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data", "nph-waits")
protocol = os.environ["SERVER_PROTOCOL"]
print(f"{protocol} 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n", end="")
if os.environ.get("QUERY_STRING") == "go":
    with open(path, "w"):
        print("told")
else:
    print("first", flush=True)
    end = time.monotonic() + MOST
    while not os.path.exists(path) and time.monotonic() < end:
        time.sleep(0.02)
    print("gone on" if os.path.exists(path) else "never told to go on")
    if os.path.exists(path):
        os.unlink(path)
