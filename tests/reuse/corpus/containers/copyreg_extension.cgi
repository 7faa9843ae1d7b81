#!/usr/bin/env python3
# why: Registries of pickle, by number and by name.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import copyreg
import os

name = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(copyreg._inverted_registry)
if name:
    copyreg.add_extension("trees", name, 7731)
