#!/usr/bin/env python3
# why: Where time zones are looked for.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import zoneinfo

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(zoneinfo.TZPATH)
if word:
    zoneinfo.reset_tzpath([f"/nowhere/{word}"])
