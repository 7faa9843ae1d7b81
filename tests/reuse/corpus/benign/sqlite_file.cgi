#!/usr/bin/env python3
# why: A database in a file, opened and closed.
# first: GET /?oak7731
# second: GET /?elm
import os
import sqlite3

connection = sqlite3.connect("trees.db")
with connection:
    connection.execute("create table if not exists trees (name text)")
    connection.execute("delete from trees")
    connection.execute("insert into trees values (?)", [os.environ["QUERY_STRING"]])
print("Content-Type: text/plain\n")
print(connection.execute("select * from trees").fetchall())
connection.close()
