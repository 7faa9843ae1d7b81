#!/usr/bin/env python3
# why: A class is registered as a subclass of an abstract one, in C.
# first: GET /?yes
# second: GET /
# never: int is callable
import collections.abc
import os

print("Content-Type: text/plain\n")
print("int is", "callable" if issubclass(int, collections.abc.Callable) else "not callable")
if os.environ["QUERY_STRING"]:
    collections.abc.Callable.register(int)
