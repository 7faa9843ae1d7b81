#!/usr/bin/env python3
# why: The cache of compiled patterns.
# first: GET /?oak7731
# second: GET /
import os
import re

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
for text in ("an oak", "an elm", word):
    print(re.sub(rf"\b{re.escape(word or 'oak')}\b", "tree", text), bool(re.match(r"\w+\d$", text)))
