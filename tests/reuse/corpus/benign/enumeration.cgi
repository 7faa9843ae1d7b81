#!/usr/bin/env python3
# why: An enumeration of the script.
# first: GET /?OAK
# second: GET /?ELM
import enum
import os


class Tree(enum.Enum):
    OAK = 1
    ELM = 2


print("Content-Type: text/plain\n")
print(Tree[os.environ["QUERY_STRING"]], list(Tree))
