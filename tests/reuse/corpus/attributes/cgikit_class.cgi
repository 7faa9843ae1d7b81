#!/usr/bin/env python3
# why: A class of the library is changed for all requests.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os

from cgikit import Response

word = os.environ["QUERY_STRING"]
if word:
    Response.customer = word
    Response.text("set").send()
else:
    Response.text(str(getattr(Response, "customer", None))).send()
