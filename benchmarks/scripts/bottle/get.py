"""Bottle's own CGI server (wsgiref's handler)."""

from bottle import html_escape, request, route, run


@route("/")
def hello():
    """Greet whom the query string names."""
    return f"<p>Hello, {html_escape(request.query.getunicode('name', 'world'))}!</p>"


run(server="cgi", quiet=True)
