"""How to come to the pages of each script of the gallery: one module a script, of its name.

A module has `SCENES`, by name: a function that leads a visitor to the page. "" is the page of the
picture in the docs, and a scene without it does not exist. `prepare`, if there is one, puts what the
scenes need into the directory of data, before the server starts.
"""
