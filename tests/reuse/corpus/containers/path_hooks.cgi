#!/usr/bin/env python3
# why: A hook decides what later imports find.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import sys

name = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print([hook.__doc__ for hook in sys.path_hooks])
if name:

    def hook(path):
        raise ImportError(name)

    hook.__doc__ = name
    sys.path_hooks.append(hook)
