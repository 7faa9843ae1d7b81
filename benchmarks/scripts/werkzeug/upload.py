"""Werkzeug, a large file, saved its own way."""

import os
from wsgiref.handlers import CGIHandler

from werkzeug import Request, Response


@Request.application
def app(request):
    """Save the file and say how large it is."""
    request.files["file"].save("upload.bin", 1 << 20)
    return Response(f"<p>{os.stat('upload.bin').st_size} bytes saved</p>", mimetype="text/html")


CGIHandler().run(app)
