#!/usr/bin/env python3
# why: A compressor holds back what it was given.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import zlib

from kept_compressor import COMPRESSOR

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
data = COMPRESSOR.compress(word.encode())
if not word:
    print(zlib.decompressobj(-15).decompress(data + COMPRESSOR.flush(zlib.Z_SYNC_FLUSH)))
