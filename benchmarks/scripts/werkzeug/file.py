"""Werkzeug with a multipart body."""

import os
from wsgiref.handlers import CGIHandler

from markupsafe import escape
from werkzeug import Request, Response


@Request.application
def app(request):
    """Say what came, and how large the file is."""
    note = request.form.get("note", "")
    upload = request.files["file"]
    size = upload.stream.seek(0, os.SEEK_END)
    text = f"<p>{escape(note)}: {escape(upload.filename)}, {size} bytes</p>"
    return Response(text, mimetype="text/html")


CGIHandler().run(app)
