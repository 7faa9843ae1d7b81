#!/usr/bin/env python3
# why: The caches of `urllib.parse`.
# first: GET /?a=1&a=2&b=%C3%BC
# second: GET /?c=3
import os
import urllib.parse

query = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(urllib.parse.parse_qs(query), urllib.parse.urlencode({"again": query}))
print(urllib.parse.urljoin("http://example.org/a/b?c", f"?{query}"))
