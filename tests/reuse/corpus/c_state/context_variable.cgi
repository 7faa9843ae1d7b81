#!/usr/bin/env python3
# why: A context variable of the main thread, held by an old module.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import contextvars
import os
import string

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print([value for value in contextvars.copy_context().values() if isinstance(value, str)])
if word:
    string.kept = contextvars.ContextVar("customer")
    string.kept.set(word)
