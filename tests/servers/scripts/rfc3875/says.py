#!/usr/bin/env python3
"""Print the file of the same name that ends in .out: the raw output of a case.

The runner copies this file to the name of each case that has an output, and writes the output beside.
"""

import os
import sys

with open(os.path.splitext(__file__)[0] + ".out", "rb") as output:
    sys.stdout.buffer.write(output.read())
