"""The wire protocols between a web server and what runs scripts: FastCGI and SCGI, and their sockets.

The codecs are pure: bytes in, events out, bytes out. Who reads and writes the sockets, and what
becomes of a request, is decided above: in `persistent.py` and in the host.
"""
