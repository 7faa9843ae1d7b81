"""Bottle with a url-encoded body."""

from bottle import html_escape, post, request, run


@post("/")
def form():
    """Say how many fields came, and one of them."""
    last = request.forms.getunicode("field20", "")
    return f"<p>{len(request.forms)} fields, the last: {html_escape(last)}</p>"


run(server="cgi", quiet=True)
