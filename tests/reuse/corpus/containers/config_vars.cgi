#!/usr/bin/env python3
# why: A function returns its cache itself, and the caller changes that.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import sysconfig

name = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(sysconfig.get_config_var("TREE"))
if name:
    sysconfig.get_config_vars()["TREE"] = name
