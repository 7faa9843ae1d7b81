"""Rewrites scripts that use the removed modules `cgi` and `cgitb`.

Each rule is a module; its docstring says at what level the rule works, and why it is safe there.
LibCST parses the programs; everything that is not rewritten stays the same, byte for byte. Only `tree`
and `change` touch files.
"""
