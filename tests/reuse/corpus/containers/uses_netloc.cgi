#!/usr/bin/env python3
# why: The usual way to teach `urljoin` a scheme.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import urllib.parse

scheme = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(urllib.parse.uses_netloc, urllib.parse.urljoin("oak7731://a/b", "c"))
if scheme:
    urllib.parse.uses_netloc.append(scheme)
    urllib.parse.uses_relative.append(scheme)
