#!/usr/bin/env python3
# why: A cache of the script's own, in itself: it goes with the script.
# first: GET /?oak7731
# second: GET /?elm
import functools
import os


@functools.lru_cache
def shout(word):
    return word.upper()


print("Content-Type: text/plain\n")
print([shout(os.environ["QUERY_STRING"]) for _ in range(3)], shout.cache_info())
