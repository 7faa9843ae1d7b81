#!/usr/bin/env python3
# why: A property that is computed once, of an object that the library made.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import ipaddress
import os

word = os.environ["QUERY_STRING"]
network = ipaddress.IPv4Address._constants._private_networks[0]
print("Content-Type: text/plain\n")
print(getattr(network, "broadcast_address", None))
if word:
    network.broadcast_address = word
