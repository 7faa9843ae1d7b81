"""The handler of cgikit/get.py as a WSGI application."""

from cgikit import WSGI, Response, escape


def hello(request):
    """Greet whom the query string names."""
    name = request.query.get("name", "world")
    return Response.html(f"<p>Hello, {escape(name)}!</p>")


application = WSGI(hello)
