#!/usr/bin/env python3
# why: A counter, a file with values, a log and a lock.
# first: GET /?oak7731
# second: GET /?elm
import os

from cgikit import Counter, Response, append_line, atomic_write, lock, run, update_json


def show(request):
    word = os.environ["QUERY_STRING"]
    with lock("page"):
        atomic_write("page.txt", word)
    with update_json("trees.json", default={}) as trees:
        trees.clear()
        trees[word] = 1
    append_line("log.txt", word)
    Counter("count.dat").increment()
    return Response.json(dict(trees))


if __name__ == "__main__":
    run(show)
