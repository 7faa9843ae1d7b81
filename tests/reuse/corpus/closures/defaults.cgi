#!/usr/bin/env python3
# why: The defaults of a function of the standard library: a tuple, which the collector may not track.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import textwrap

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(textwrap.wrap.__defaults__)
if word:
    textwrap.wrap.__defaults__ = (word,)
