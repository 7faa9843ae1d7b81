#!/usr/bin/env python3
# why: A class attribute that changes how every template is read.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import string

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(string.Template.delimiter, string.Template.idpattern)
if word:
    string.Template.delimiter = word
