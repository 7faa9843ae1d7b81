#!/usr/bin/env python3
# why: A table of text, read and written.
# first: GET /?a;b
# second: GET /?c;d
import csv
import io
import os

written = io.StringIO()
csv.writer(written).writerows(csv.reader([os.environ["QUERY_STRING"]], delimiter=";"))
print("Content-Type: text/plain\n")
print(written.getvalue())
