#!/usr/bin/env python3
"""A form page of the tests' own: GET, POST and multipart, answered with the raw bytes as JSON.

It depends on nothing but the standard library, so that what a browser sends can be seen apart from
how cgikit reads it.
"""

import json
import os
import sys

PAGE = """Content-Type: text/html; charset=utf-8

<!doctype html><meta charset="utf-8"><title>Forms</title>
<form id="get" method="get" action="formpage.py/seen">
  <input name="q"><button>Get</button></form>
<form id="post" method="post" action="formpage.py/seen?from=query">
  <input name="name"><textarea name="text"></textarea><button>Post</button></form>
<form id="upload" method="post" action="formpage.py/seen" enctype="multipart/form-data">
  <input name="note"><input type="file" name="file" multiple><button>Send</button></form>
"""

if os.environ.get("PATH_INFO"):
    length = int(os.environ.get("CONTENT_LENGTH") or 0)
    seen = {
        "method": os.environ["REQUEST_METHOD"],
        "query": os.environ["QUERY_STRING"],
        "type": os.environ.get("CONTENT_TYPE", ""),
        "body": sys.stdin.buffer.read(length).decode("latin-1"),
    }
    sys.stdout.write("Content-Type: application/json\n\n" + json.dumps(seen))
else:
    sys.stdout.write(PAGE)
