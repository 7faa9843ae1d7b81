#!/usr/bin/env python3
# why: All three ways to put values into a text.
# first: GET /?oak7731
# second: GET /?elm
import os
import string

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(f"{word:>12}|%-12s|{{:^12}}|".format(word) % word)
print(string.Template("a $tree").substitute(tree=word))
