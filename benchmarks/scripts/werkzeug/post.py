"""Werkzeug with a url-encoded body."""

from wsgiref.handlers import CGIHandler

from markupsafe import escape
from werkzeug import Request, Response


@Request.application
def app(request):
    """Say how many fields came, and one of them."""
    last = request.form.get("field20", "")
    text = f"<p>{len(request.form)} fields, the last: {escape(last)}</p>"
    return Response(text, mimetype="text/html")


CGIHandler().run(app)
