#!/usr/bin/env python3
# why: A module is replaced for all who import it later.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import sys
import types

name = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
try:
    import trees_of_the_request

    print(trees_of_the_request.name)
except ImportError:
    print("none")
if name:
    module = sys.modules["trees_of_the_request"] = types.ModuleType("trees_of_the_request")
    module.name = name
