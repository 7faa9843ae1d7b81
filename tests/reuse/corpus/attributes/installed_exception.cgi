#!/usr/bin/env python3
# why: An exception of an installed package collects the frames in which it is raised.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os

import kept_exception


def find(word):
    try:
        raise kept_exception.NOT_FOUND
    except LookupError:
        return word


print("Content-Type: text/plain\n")
found = kept_exception.NOT_FOUND.__traceback__
print(found and found.tb_frame.f_locals)
find(os.environ["QUERY_STRING"])
