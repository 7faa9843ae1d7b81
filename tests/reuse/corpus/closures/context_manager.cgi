#!/usr/bin/env python3
# why: A redirection that is never undone, because its generator stays where it is.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import contextlib
import decimal
import os
import string

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(string.Template.delimiter)


@contextlib.contextmanager
def delimiter(text):
    before, string.Template.delimiter = string.Template.delimiter, text
    yield
    string.Template.delimiter = before


if word:
    decimal.kept = delimiter(word)
    decimal.kept.__enter__()
