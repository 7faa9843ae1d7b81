import functools
import os


@functools.lru_cache
def name():
    return os.environ["QUERY_STRING"]
