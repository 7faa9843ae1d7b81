#!/usr/bin/env python3
# why: The directory of SQLite for temporary files.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import sqlite3
import tempfile

print("Content-Type: text/plain\n")
database = sqlite3.connect(":memory:")
print(database.execute("PRAGMA temp_store_directory").fetchall())
if os.environ["QUERY_STRING"]:
    place = tempfile.mkdtemp(suffix=os.environ["QUERY_STRING"])
    database.execute(f"PRAGMA temp_store_directory='{place}'")
    os.rmdir(place)
database.close()
