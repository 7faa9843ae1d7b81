#!/usr/bin/env python3
# why: The cell of a closure of the standard library gets another value.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import pkgutil

word = os.environ["QUERY_STRING"]
cells = dict(
    zip(
        pkgutil.iter_importer_modules.dispatch.__code__.co_freevars,
        pkgutil.iter_importer_modules.dispatch.__closure__,
    )
)
print("Content-Type: text/plain\n")
print(cells["cache_token"].cell_contents)
if word:
    cells["cache_token"].cell_contents = word
