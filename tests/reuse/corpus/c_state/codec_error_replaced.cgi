#!/usr/bin/env python3
# why: A handler of errors that every Python has.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import codecs
import os

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print("ü".encode("ascii", "namereplace"), codecs.lookup_error("namereplace").__doc__)
if word:

    def handler(error):
        return word, error.end

    handler.__doc__ = word
    codecs.register_error("namereplace", handler)
