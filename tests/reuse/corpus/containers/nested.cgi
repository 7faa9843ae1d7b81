#!/usr/bin/env python3
# why: A dict in a dict in a module.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import sysconfig

name = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(sysconfig.get_paths("posix_prefix"))
if name:
    sysconfig._INSTALL_SCHEMES["posix_prefix"]["trees"] = name
