#!/usr/bin/env python3
# why: What a digest has taken in is in C alone.
# first: GET /?oak7731
# second: GET /
# never: it has taken something in
import hashlib
import os

from kept_digest import DIGEST

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
same = DIGEST.digest() == hashlib.sha256().digest()
print("it is empty" if same else "it has taken something in")
if word:
    DIGEST.update(word.encode())
