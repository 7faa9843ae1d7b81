#!/usr/bin/env python3
# why: An audit hook can never be taken back, and no function lists them.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import sys

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n", flush=True)
sys.audit("trees.ask")
if word:

    def hook(event, args):
        if event == "trees.ask":
            os.write(1, word.encode())

    sys.addaudithook(hook)
