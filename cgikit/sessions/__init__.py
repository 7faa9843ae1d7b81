"""Sessions: what a script remembers of a visitor from one request to the next.

docs/understand/architecture.md lists the modules. Each is imported only when it is used.
"""
