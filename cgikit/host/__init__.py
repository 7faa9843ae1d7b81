"""The web server's role of CGI (RFC 3875): find a script, run it, answer with what it says.

One module, one part of the role: `path` (URL to script), `environ` (meta-variables), `executor`
(what a way of running scripts must offer), `spawn` (fork and exec), `output` (what scripts print),
`diagnosis` (why a script failed), `listing` and `page` (what people see), `wsgi` (the front end).
Nothing here is imported by a script, and nothing here imports the script's side of the library.
"""
