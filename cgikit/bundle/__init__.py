"""`cgikit bundle`: scripts with cgikit and what else they use, in a folder, for hosts without pip.

Nothing of a script is run to find out what it uses: its source is read. `making.py` puts a bundle
together, and is the place to begin reading; docs/reference/bundle.md lists the parts.
"""
