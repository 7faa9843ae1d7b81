"""Bottle with a multipart body."""

import os

from bottle import html_escape, post, request, run


@post("/")
def file():
    """Say what came, and how large the file is."""
    note = request.forms.getunicode("note", "")
    upload = request.files.get("file")
    size = upload.file.seek(0, os.SEEK_END)
    return f"<p>{html_escape(note)}: {html_escape(upload.filename)}, {size} bytes</p>"


run(server="cgi", quiet=True)
