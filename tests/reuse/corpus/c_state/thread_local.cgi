#!/usr/bin/env python3
# why: A variable of the thread, held by an old module.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import string
import threading

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(vars(getattr(string, "kept", threading.local())))
if word:
    string.kept = threading.local()
    string.kept.customer = word
