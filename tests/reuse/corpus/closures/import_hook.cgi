#!/usr/bin/env python3
# why: Each import goes through a closure.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import builtins
import os

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(builtins.__import__.__doc__)
if word:
    original = builtins.__import__

    def hook(*args, **options):
        return original(*args, **options)

    hook.__doc__ = word
    builtins.__import__ = hook
