#!/usr/bin/env python3
# why: Digests and their kin.
# first: GET /?oak7731
# second: GET /?elm
import base64
import binascii
import hashlib
import hmac
import os
import zlib

data = os.environ["QUERY_STRING"].encode()
print("Content-Type: text/plain\n")
print(hashlib.sha256(data).hexdigest(), hmac.new(b"key", data, "sha256").hexdigest())
print(base64.b64encode(data), binascii.crc32(data), zlib.decompress(zlib.compress(data)))
