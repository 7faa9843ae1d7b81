#!/usr/bin/env python3
# why: How much memory SQLite may take.
# first: GET /?77317731
# second: GET /
# never: 77317731
import os
import sqlite3

print("Content-Type: text/plain\n")
database = sqlite3.connect(":memory:")
print(database.execute("PRAGMA soft_heap_limit").fetchall())
if os.environ["QUERY_STRING"]:
    database.execute(f"PRAGMA soft_heap_limit={os.environ['QUERY_STRING']}")
database.close()
