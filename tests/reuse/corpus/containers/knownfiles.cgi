#!/usr/bin/env python3
# why: A list of strings in the standard library grows.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import mimetypes
import os

name = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(mimetypes.knownfiles)
if name:
    mimetypes.knownfiles.append(name)
