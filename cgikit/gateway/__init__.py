"""The wire protocols between a web server and what runs scripts: FastCGI and SCGI, and their sockets.

The codecs are pure: bytes in, events out; bytes out. The packages `persistent` and `warm` use the
sockets, and decide how a request is answered.
"""
