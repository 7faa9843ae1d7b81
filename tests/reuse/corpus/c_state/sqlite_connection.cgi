#!/usr/bin/env python3
# why: A database in memory, kept open by a module.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import sqlite3

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
if word:
    sqlite3.kept = sqlite3.connect(":memory:")
    sqlite3.kept.execute("create table trees (name)")
    sqlite3.kept.execute("insert into trees values (?)", [word])
elif hasattr(sqlite3, "kept"):
    print(sqlite3.kept.execute("select * from trees").fetchall())
