"""The inspector of `cgikit serve`: what the last requests were, at the URL path /_cgikit/.

No standard covers this. `application.py` answers the requests for its pages, `recorder.py` keeps what
was seen, and the other modules each make one thing of it. docs/reference/inspector.md is the page
for users.
"""
