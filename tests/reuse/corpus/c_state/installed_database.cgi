#!/usr/bin/env python3
# why: A database in memory that a package opens when it is imported.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os

from kept_database import DATABASE

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(DATABASE.execute("select name from trees").fetchall())
if word:
    DATABASE.execute("insert into trees values (?)", [word])
