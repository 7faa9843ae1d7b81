#!/usr/bin/env python3
"""Counts visitors, as in 1998; two at once bring a bug out."""

import os
from urllib.parse import parse_qs

query = parse_qs(os.environ.get("QUERY_STRING", ""))
digits = int(query.get("digits", ["6"])[0])

with open("count.dat") as file:
    count = int(file.read())
count += 1
with open("count.dat", "w") as file:
    file.write(f"{count}\n")

print("Content-Type: text/html")
print()
print(f"<p>You are visitor <b>{count:0{digits}d}</b></p>")
