#!/usr/bin/env python3
# why: Objects that hold each other, and a finalizer.
# first: GET /?oak7731
# second: GET /?elm
import os


class Node:
    def __init__(self, name):
        self.name = name
        self.other = self

    def __del__(self):
        pass


print("Content-Type: text/plain\n")
print(Node(os.environ["QUERY_STRING"]).other.name)
