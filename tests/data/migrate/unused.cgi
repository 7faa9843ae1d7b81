#!/usr/bin/env python3
import cgi
import os
import cgitb

print("Content-Type: text/plain\n")
print(os.environ["REQUEST_METHOD"])
