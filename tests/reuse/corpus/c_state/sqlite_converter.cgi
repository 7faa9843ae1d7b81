#!/usr/bin/env python3
# why: How values of a column are read, for all connections.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import sqlite3

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
connection = sqlite3.connect(":memory:", detect_types=sqlite3.PARSE_DECLTYPES)
connection.execute("create table trees (name tree)")
connection.execute("insert into trees values ('elm')")
print(connection.execute("select name from trees").fetchone())
connection.close()
if word:
    sqlite3.register_converter("tree", lambda value: word)
