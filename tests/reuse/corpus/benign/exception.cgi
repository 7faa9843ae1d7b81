#!/usr/bin/env python3
# why: An error that is caught, and its traceback as text.
# first: GET /?oak7731
# second: GET /?elm
import os
import traceback

print("Content-Type: text/plain\n")
try:
    int(os.environ["QUERY_STRING"])
except ValueError as error:
    print(error, traceback.format_exc().count("\n") > 2)
