#!/usr/bin/env python3
# why: Whether SQLite tells of errors in functions of Python.
# first: GET /?yes
# second: GET /
# never: heard
import os
import sqlite3
import sys

print("Content-Type: text/plain\n")
sys.unraisablehook = lambda error: print("heard of an error")
database = sqlite3.connect(":memory:")
database.create_function("divide", 1, lambda number: 1 // number)
try:
    database.execute("SELECT divide(0)")
except sqlite3.OperationalError as error:
    print(error)
database.close()
if os.environ["QUERY_STRING"]:
    sqlite3.enable_callback_tracebacks(True)
