#!/usr/bin/env python3
"""events.py as an NPH script: the name is all the difference."""

import os
import runpy

directory = os.path.dirname(os.path.abspath(__file__))
runpy.run_path(f"{directory}/events.py", run_name="__main__")
