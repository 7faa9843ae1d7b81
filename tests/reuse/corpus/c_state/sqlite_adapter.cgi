#!/usr/bin/env python3
# why: How values of a type are written into a database, for all connections.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import sqlite3

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
with sqlite3.connect(":memory:") as connection:
    try:
        print(connection.execute("select ?", [1 + 2j]).fetchone())
    except sqlite3.Error as error:
        print(error)
connection.close()
if word:
    sqlite3.register_adapter(complex, lambda value: word)
