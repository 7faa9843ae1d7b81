#!/usr/bin/env python3
# why: A thread that the module threading does not know.
# first: GET /?yes
# second: GET /
# never: 1 more
import _thread
import os

print("Content-Type: text/plain\n")
print(_thread._count(), "more")
if os.environ["QUERY_STRING"]:
    lock = _thread.allocate_lock()
    lock.acquire()
    _thread.start_new_thread(lock.acquire, ())
    while not _thread._count():
        pass
