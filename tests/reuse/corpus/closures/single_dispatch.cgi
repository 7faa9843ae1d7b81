#!/usr/bin/env python3
# why: A registry that only a closure knows.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import pkgutil

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print([kind.__name__ for kind in pkgutil.iter_importer_modules.registry])
if word:
    pkgutil.iter_importer_modules.register(type(word, (), {}), len)
