#!/usr/bin/env python3
# why: The hook for errors that nobody can catch.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import sys

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(sys.unraisablehook.__doc__)
if word:

    def hook(error):
        pass

    hook.__doc__ = word
    sys.unraisablehook = hook
