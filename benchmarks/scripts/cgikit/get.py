"""A handler for run(): one field of the query string, HTML back."""

from cgikit import Response, escape, run


def hello(request):
    """Greet whom the query string names."""
    name = request.query.get("name", "world")
    return Response.html(f"<p>Hello, {escape(name)}!</p>")


if __name__ == "__main__":
    run(hello)
