#!/usr/bin/env python3
# why: A file that a package holds open: where it is read, the kernel keeps.
# first: GET /?yes
# second: GET /
# never: the secon
import os

from kept_file import FILE

print("Content-Type: text/plain\n")
print(os.read(FILE.fileno(), 9))
