#!/usr/bin/env python3
# why: A member of an enumeration is an int with attributes.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import http
import os

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(http.HTTPStatus.NOT_FOUND.phrase)
if word:
    http.HTTPStatus.NOT_FOUND.phrase = word
