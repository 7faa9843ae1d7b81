#!/usr/bin/env python3
# why: A text that is written like a file.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os

from kept_text import TEXT

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(TEXT.getvalue())
TEXT.write(word)
