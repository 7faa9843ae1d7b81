"""The plain style: no handler, no run()."""

from cgikit import Request, Response, escape

request = Request()
name = request.query.get("name", "world")
Response.html(f"<p>Hello, {escape(name)}!</p>").send()
