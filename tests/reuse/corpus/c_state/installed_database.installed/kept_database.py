import sqlite3

DATABASE = sqlite3.connect(":memory:")
DATABASE.execute("create table trees (name)")
