#!/usr/bin/env python3
# why: The history of a line editor, in C.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import readline

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print([readline.get_history_item(n + 1) for n in range(readline.get_current_history_length())])
if word:
    readline.add_history(word)
