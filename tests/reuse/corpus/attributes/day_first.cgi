#!/usr/bin/env python3
# why: An object of an installed package that every parse uses.
# first: GET /?yes
# second: GET /
# never: 2026-02-01
import os

from dateutil import parser

print("Content-Type: text/plain\n")
print(parser.parse("01/02/2026").date())
if os.environ["QUERY_STRING"]:
    parser.DEFAULTPARSER.info.dayfirst = True
