#!/usr/bin/env python3
# why: Hooks of the thread for asynchronous generators.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import sys

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(getattr(sys.get_asyncgen_hooks().firstiter, "__doc__", None))
if word:

    def first(generator):
        pass

    first.__doc__ = word
    sys.set_asyncgen_hooks(firstiter=first)
