"""Moving scripts off the removed modules `cgi` and `cgitb`: a program that rewrites programs.

Each rule is a module; its docstring says at what level the rule works, and why it is safe there.
LibCST reads the programs; what is not rewritten stays byte for byte as it was. Only `tree` and
`change` touch files.
"""
