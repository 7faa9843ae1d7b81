#!/usr/bin/env python3
# why: Dates in words: patterns for the locale are kept.
# first: GET /?2026-11-27
# second: GET /?2025-01-02
import datetime
import os

date = datetime.datetime.strptime(os.environ["QUERY_STRING"], "%Y-%m-%d")
print("Content-Type: text/plain\n")
print(date.strftime("%A, %d %B %Y"), date + datetime.timedelta(days=3), date.isoformat())
