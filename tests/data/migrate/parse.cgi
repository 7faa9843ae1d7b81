#!/usr/bin/env python3
import cgi
print("Content-Type: text/plain\n")
fields = cgi.parse(keep_blank_values=1)
for key in sorted(fields):
    print(key, "=", fields[key])
