#!/usr/bin/env python3
# why: A module beside the script, with its own constants.
# first: GET /?oak7731
# second: GET /?elm
import os

from texts import GREETING, greet

print("Content-Type: text/plain\n")
print(GREETING, greet(os.environ["QUERY_STRING"]))
