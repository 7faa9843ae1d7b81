"""The web server's role of CGI (RFC 3875): find a script, run it, answer with what it says.

Each part of the role is a module; docs/reference/host.md lists them. Scripts import nothing from
this package, and the package imports nothing of the script's side of the library.
"""
