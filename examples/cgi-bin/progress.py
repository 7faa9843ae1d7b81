#!/usr/bin/env python3
"""A page that is sent while it is made: ten steps, each shown as soon as it is done."""

import time

from cgikit import Request, Response, run

HEAD = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Progress</title>
<style>
  :root { color-scheme: light dark; background: Canvas }
  body { font: 1rem/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem }
  i { display: inline-block; width: 7%; height: 1.5rem; background: #2563eb; margin-right: 1% }
</style>
<main>
<h1>Working…</h1>
<p>
"""


def steps(pause):
    yield HEAD
    for _ in range(10):
        time.sleep(pause)  # stands for the work
        yield "<i></i>\n"
    yield "</p>\n<p id='done'>Done.</p>\n</main>\n"


def progress(request: Request):
    pause = request.query.getfloat("pause", default=0.3, min=0, max=2)
    return Response.stream(steps(pause))


if __name__ == "__main__":
    run(progress)
