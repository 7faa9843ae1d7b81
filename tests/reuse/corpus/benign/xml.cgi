#!/usr/bin/env python3
# why: A document is read and written.
# first: GET /?oak7731
# second: GET /?elm
import os
import xml.etree.ElementTree as ElementTree

tree = ElementTree.fromstring(f"<tree><name>{os.environ['QUERY_STRING']}</name></tree>")
print("Content-Type: text/plain\n")
print(tree.findtext("name"), ElementTree.tostring(tree))
