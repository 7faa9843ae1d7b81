"""Stand-ins for modules that Python removed: `cgi` and `cgitb`, with their old names and habits."""
