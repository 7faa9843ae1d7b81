#!/usr/bin/env python3
# why: What `cgitb.enable` does.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import sys

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(sys.excepthook.__doc__)
if word:

    def hook(*error):
        pass

    hook.__doc__ = word
    sys.excepthook = hook
