#!/usr/bin/env python3
# why: A copy of descriptor 0: the body of the first visitor can still be read.
# first: POST /?yes tree=oak7731
# second: GET /
# never: oak7731
import os

print("Content-Type: text/plain\n")
if os.environ["QUERY_STRING"]:
    os.dup2(0, 9)
else:
    try:
        print(os.read(9, 99))
    except OSError as error:
        print(error)
