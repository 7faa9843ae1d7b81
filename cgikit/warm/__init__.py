"""The warm engine: Python scripts run in processes that are forked from a preloaded interpreter.

A supervisor starts workers; a worker is one event loop, which takes requests from a web server over
FastCGI or SCGI and has its zygote fork a process for each. `host` decides what a request and a
script's output mean; nothing in `host` imports this package.
"""
