#!/usr/bin/env python3
# why: A value that is equal to the old one and is another one.
# first: GET /?yes
# second: GET /
# never: True
import os
import token

print("Content-Type: text/plain\n")
print(token.tok_name[0], [key for key in token.tok_name if key == 1])
if os.environ["QUERY_STRING"]:
    name = token.tok_name.pop(1)
    token.tok_name[True] = name
