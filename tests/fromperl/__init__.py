"""Scripts of the Perl years, and their ports: examples/from-perl, run side by side.

`page.py` reads a page as a person does, `visitor.py` visits a script, `visits.py` says what is asked of
each, and `served.py` sets up and serves both versions.
"""
