#!/usr/bin/env python3
"""A script that fails, in the way that its query names: for `test_failing.py`."""

import cgikit.guard  # noqa: F401  # isort: skip

import os

way = os.environ["QUERY_STRING"]
if way == "import":
    __import__("no_such_module")
elif way == "buffered":
    print("Content-Type: text/html\n\n<p>half")
elif way == "printed":
    print(f"Content-Type: text/html\n\n{'x' * 300_000}", flush=True)
elif way == "announced":
    print(f"Content-Type: text/html\nContent-Length: 400000\n\n{'x' * 300_000}", flush=True)
raise RuntimeError("not an import")
