#!/usr/bin/env python3
# why: Encoders and decoders in C.
# first: GET /?{"tree":"oak"}
# second: GET /?[1,2.5,null]
import json
import os
import urllib.parse

value = json.loads(urllib.parse.unquote(os.environ["QUERY_STRING"]))
print("Content-Type: text/plain\n")
print(json.dumps(value, indent=2, sort_keys=True), json.dumps({"v": value}, separators=(",", ":")))
