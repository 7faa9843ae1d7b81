"""The plain style: no handler, no run()."""

from cgikit import Request, Response, escape

request = Request()
last = request.form.get("field20", "")
Response.html(f"<p>{len(request.form)} fields, the last: {escape(last)}</p>").send()
