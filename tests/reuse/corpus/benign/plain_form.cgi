#!/usr/bin/env python3
# why: The same in the plain style.
# first: GET /?name=oak7731
# second: GET /?name=elm
from cgikit import Request, Response, escape

request = Request()
Response.html(f"<p>Hello, {escape(request.params.get('name', 'world'))}!</p>").send()
