#!/usr/bin/env python3
# why: The same with a builtin function.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import builtins
import os

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print("a text")
if word:
    original = print
    builtins.print = lambda *words, **options: original(*words, word, **options)
