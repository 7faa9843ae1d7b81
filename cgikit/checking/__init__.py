"""What is wrong with a CGI script, found without running it. Each module knows one kind of mistake.

`cgikit check` prints all findings, and the error pages of `cgikit serve` show the one that explains why
a script failed, so both say the same about the same mistake. Nothing here writes, or runs the script.
"""
