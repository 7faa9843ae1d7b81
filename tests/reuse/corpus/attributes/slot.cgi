#!/usr/bin/env python3
# why: An object with slots has no dict.
# first: GET /?7731
# second: GET /
# never: 0.0.30.51
import ipaddress
import os

number = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(ipaddress.IPv4Address._constants._unspecified_address)
if number:
    ipaddress.IPv4Address._constants._unspecified_address._ip = int(number)
