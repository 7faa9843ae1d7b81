#!/usr/bin/env python3
# why: `threading.excepthook` and its kin are names of modules.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import threading

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(threading.excepthook.__doc__)
if word:

    def hook(args):
        pass

    hook.__doc__ = word
    threading.excepthook = hook
