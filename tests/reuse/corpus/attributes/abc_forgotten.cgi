#!/usr/bin/env python3
# why: An abstract class forgets what was registered with it.
# first: GET /?yes
# second: GET /
# never: no number
import numbers
import os

print("Content-Type: text/plain\n")
if os.environ["QUERY_STRING"]:
    numbers.Integral._abc_registry_clear()
numbers.Integral._abc_caches_clear()
print("a number" if isinstance(1, numbers.Integral) or os.environ["QUERY_STRING"] else "no number")
