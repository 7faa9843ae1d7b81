#!/usr/bin/env python3
# why: The same with `namedtuple`, which compiles a function.
# first: GET /?oak7731
# second: GET /?elm
import collections
import os

Tree = collections.namedtuple("Tree", "name height", defaults=[3])
print("Content-Type: text/plain\n")
print(Tree(os.environ["QUERY_STRING"])._replace(height=4)._asdict())
