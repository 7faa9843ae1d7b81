"""Werkzeug under wsgiref's CGI handler."""

from wsgiref.handlers import CGIHandler

from markupsafe import escape
from werkzeug import Request, Response


@Request.application
def app(request):
    """Greet whom the query string names."""
    name = request.args.get("name", "world")
    return Response(f"<p>Hello, {escape(name)}!</p>", mimetype="text/html")


CGIHandler().run(app)
