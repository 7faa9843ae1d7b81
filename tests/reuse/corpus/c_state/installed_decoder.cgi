#!/usr/bin/env python3
# why: A decoder waits for the second half of a character.
# first: GET /?yes
# second: GET /
# never: pending: True
import os

from kept_decoder import DECODER

print("Content-Type: text/plain\n")
print("pending:", bool(DECODER.getstate()[0]))
if os.environ["QUERY_STRING"]:
    DECODER.decode(b"\x88")
