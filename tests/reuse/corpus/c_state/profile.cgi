#!/usr/bin/env python3
# why: The same for profilers.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import sys

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(getattr(sys.getprofile(), "__doc__", None))
if word:

    def profile(frame, event, argument):
        return None

    profile.__doc__ = word
    sys.setprofile(profile)
