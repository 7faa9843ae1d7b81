#!/usr/bin/env python3
"""Say how often this script has run for its query: a run that nobody is told of leaves its trace."""

import os
import re

name = re.sub("[^a-z-]", "", os.environ["QUERY_STRING"])
data = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data")
with open(os.path.join(data, f"counted-{name}"), "a+") as counted:
    counted.write("once\n")
    counted.seek(0)
    print(f"Content-Type: text/plain\n\n{len(counted.readlines())}")
