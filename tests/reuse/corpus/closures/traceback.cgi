#!/usr/bin/env python3
# why: A traceback that is kept has the variables of all its frames.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import sys


def leak(word):
    raise ValueError


word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
kept = getattr(sys, "last_traceback", None)
print(kept and kept.tb_next.tb_frame.f_locals)
if word:
    try:
        leak(word)
    except ValueError as error:
        sys.last_traceback = error.__traceback__
