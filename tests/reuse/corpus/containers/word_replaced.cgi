#!/usr/bin/env python3
# why: A key that is text goes, another one comes: the values stay, in their order.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import xml.etree.ElementTree as tree

word = os.environ["QUERY_STRING"]
names = tree._namespace_map
print("Content-Type: text/plain\n")
print(*names)
if word:
    items = [(key if at else word, value) for at, (key, value) in enumerate(names.items())]
    names.clear()
    names.update(items)
