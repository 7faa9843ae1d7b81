#!/usr/bin/env python3
# why: A form read with this library.
# first: POST /?a=1 tree=oak7731&tree=elm
# second: POST /?a=2 tree=fir
from cgikit import Response, escape, run


def show(request):
    names = ", ".join(map(escape, request.form.getlist("tree")))
    return Response.html(f"<p>{names}: {request.query.getint('a')}</p>")


if __name__ == "__main__":
    run(show)
