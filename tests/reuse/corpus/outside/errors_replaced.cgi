#!/usr/bin/env python3
# why: Standard error is replaced by a stream of the script.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import io
import os
import sys

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(getattr(sys.stderr, "customer", None))
if word:

    class Stream(io.StringIO):
        pass

    sys.stderr = Stream()
    sys.stderr.customer = word
