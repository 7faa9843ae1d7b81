#!/usr/bin/env python3
# An editor put the first line there.
from cgi import test
import sys

def test_page(out):
    out.write("Content-Type: text/plain\n\n")
    out.write("page\n")

test_page(sys.stdout)
