#!/usr/bin/env python3
# why: The documented way to give a namespace a prefix.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import xml.etree.ElementTree as ElementTree

prefix = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(ElementTree.tostring(ElementTree.Element("{urn:trees}tree")))
if prefix:
    ElementTree.register_namespace(prefix, "urn:trees")
