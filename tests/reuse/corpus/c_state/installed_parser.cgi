#!/usr/bin/env python3
# why: A parser that was given the beginning of a document.
# first: GET /?<oak7731>
# second: GET /
# never: byte: 12
import os

from kept_parser import PARSER

text = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
if text:
    PARSER.Parse(text)
else:
    PARSER.Parse("<a>")
    print("byte:", PARSER.CurrentByteIndex)
