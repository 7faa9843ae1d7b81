#!/usr/bin/env python3
# why: A function that is asked for encodings.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import codecs
import os

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
try:
    print(b"x".decode("trees7"))
except LookupError as error:
    print(error)
if word:

    def decode(data, errors="strict"):
        return word, len(data)

    def search(name):
        if name == "trees7":
            return codecs.CodecInfo(None, decode, name=name)
        return None

    codecs.register(search)
