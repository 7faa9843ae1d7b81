"""What is wrong with a CGI script, found by running it for a sample request, as a server does.

The environment, the limits and the parsing of the output are those of `cgikit serve` (package `host`).
"""
