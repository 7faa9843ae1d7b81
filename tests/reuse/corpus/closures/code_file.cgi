#!/usr/bin/env python3
# why: The name of the file that the code of an old function says it is from.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import html
import os

print("Content-Type: text/plain\n")
print(html.escape.__code__.co_filename)
if os.environ["QUERY_STRING"]:
    html.escape.__code__ = html.escape.__code__.replace(co_filename=os.environ["QUERY_STRING"])
