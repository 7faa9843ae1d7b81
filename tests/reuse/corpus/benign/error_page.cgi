#!/usr/bin/env python3
# why: An error in the answer: the field is not what it must be.
# first: GET /?n=oak7731
# second: GET /?n=7
from cgikit import Response, run


def show(request):
    return Response.text(str(request.query.getint("n") + 1))


if __name__ == "__main__":
    run(show)
