#!/usr/bin/env python3
# why: Which memory goes into a core file.
# first: GET /?7f
# second: GET /
# never: 0000007f
import os

bits = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
with open("/proc/self/coredump_filter") as file:
    print(file.read())
if bits:
    with open("/proc/self/coredump_filter", "w") as file:
        file.write("0x" + bits)
