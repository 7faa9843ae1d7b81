import hashlib

DIGEST = hashlib.sha256()
