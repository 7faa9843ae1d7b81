#!/usr/bin/env python3
# why: A list in a class of an installed package.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os

from dateutil.parser import parserinfo

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(parserinfo.JUMP)
if word:
    parserinfo.JUMP.append(word)
