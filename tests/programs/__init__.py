"""Real CGI programs, written by others, in the ways that a site may serve them.

Each module with a `PROGRAM` has one program: how it is set up and what is asked of it. `site.py` is a
directory of them all, `visit.py` asks and remembers what came, `ways.py` starts the servers, and
`differences.py` holds what came through one of them against what came through httpd's mod_cgid.
"""
