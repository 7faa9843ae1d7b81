#!/usr/bin/env python3
# why: A finder that answers for any module.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import sys


class Finder:
    def __init__(self, name):
        self.name = name

    def find_spec(self, name, path=None, target=None):
        return None


name = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print([getattr(finder, "name", None) for finder in sys.meta_path])
if name:
    sys.meta_path.append(Finder(name))
