#!/usr/bin/env python3
# why: `add_type` is what the documentation offers; it fills dicts of an object that was there before.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import mimetypes
import os

name = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(mimetypes.guess_type("picture.zz9"))
if name:
    mimetypes.add_type(f"image/{name}", ".zz9")
