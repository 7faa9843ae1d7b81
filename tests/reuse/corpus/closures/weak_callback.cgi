#!/usr/bin/env python3
# why: A callback of a weak reference to an old object.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import html
import os
import weakref

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print([getattr(r.__callback__, "__doc__", None) for r in weakref.getweakrefs(html.escape)])
if word:

    def gone(reference):
        pass

    gone.__doc__ = word
    gone.kept = weakref.ref(html.escape, gone)
    gone.myself = gone
