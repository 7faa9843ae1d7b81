#!/usr/bin/env python3
"""Answer by cgikit in the way that the query names: `answers.py?document`."""

from cgikit import HTTPError, Request, Response, run


def document(request: Request) -> Response:
    return Response("<p>Grüße</p>\n")


def text(request: Request) -> Response:
    return Response.text("plain\n")


def empty(request: Request) -> Response:
    return Response("")


def nothing(request: Request) -> Response:
    return Response(status=204)


def missing(request: Request) -> Response:
    raise HTTPError(404, "no such page")


def unknown_status(request: Request) -> Response:
    return Response("a status without a name\n", status=299)


def local(request: Request) -> Response:
    return Response.local_redirect(f"{request.script_name}?document")


def path(request: Request) -> Response:
    return Response.redirect("/elsewhere?a=b")


def other_site(request: Request) -> Response:
    return Response.redirect("https://example.org/there#part")


def relative(request: Request) -> Response:
    return Response.redirect("../beside")


def permanent(request: Request) -> Response:
    return Response.redirect("/elsewhere", 301)


def only_get(request: Request) -> Response:
    if request.method not in ("GET", "HEAD"):
        raise HTTPError(405, "only GET and HEAD", headers=[("Allow", "GET, HEAD")])
    return document(request)


def connection(request: Request) -> Response:
    return Response("never sent", headers={"Connection": "keep-alive, X-Secret", "X-Secret": "1"})


def coding(request: Request) -> Response:
    return Response("never sent", headers={"Transfer-Encoding": "chunked"})


def two_types(request: Request) -> Response:
    return Response("never sent", headers=[("Content-Type", "text/a"), ("Content-Type", "text/b")])


def two_lines(request: Request) -> Response:
    return Response("never sent", headers={"X-Value": "one\r\nX-Secret: two"})


def no_string(request: Request) -> Response:
    return Response("never sent", headers={"X-Value": "one\0two"})


def fields(request: Request) -> Response:
    response = Response("three fields\n")
    response.headers["X-Name"] = "value: with a colon; and more"
    response.set_cookie("a", "1")
    response.set_cookie("b", "2")
    return response


def bug(request: Request) -> Response:
    raise RuntimeError("a bug of the script")


def stream(request: Request) -> Response:
    return Response.stream(f"line {number}\n" for number in range(3))


KINDS = {
    function.__name__: function
    for function in (
        *(document, text, empty, nothing, missing, unknown_status, local, path, other_site),
        *(relative, permanent, only_get, connection, coding, two_types, two_lines, no_string),
        *(fields, bug, stream),
    )
}


def handler(request: Request) -> Response:
    return KINDS[request.query_string](request)


if __name__ == "__main__":
    run(handler)
