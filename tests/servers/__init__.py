"""Real web servers for the tests: each serves a directory of scripts on loopback.

`server.py` says what a server is, `rows.py` which there are, `printed.py` and `serve.py` start one,
`deviations.py` lists what they do differently, `interpreter.py` makes the Python that scripts run on,
`curl.py` is the client, `fixtures.py` hands a running server to a test.
"""
