#!/usr/bin/env python3
import os
import cgi

query = cgi.parse_qs(os.environ["QUERY_STRING"])
pairs = cgi.parse_qsl(os.environ.get("QUERY_STRING", ""), keep_blank_values=True)
print("Content-Type: text/plain\n")
for key in sorted(query):
    print(key, query[key])
print(pairs)
