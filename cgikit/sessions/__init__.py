"""Sessions: what a script remembers of a visitor from one request to the next.

`session.py` is the mapping that a script holds, `payload.py` the JSON it is kept as, `store.py` what
all stores share; `file.py`, `sqlite.py` and `redis.py` are the places it can be kept in. Nothing is
imported before it is used.
"""
