"""A handler for run(): a url-encoded form of 20 fields, HTML back."""

from cgikit import Response, escape, run


def form(request):
    """Say how many fields came, and one of them."""
    fields = request.form
    last = fields.get("field20", "")
    return Response.html(f"<p>{len(fields)} fields, the last: {escape(last)}</p>")


if __name__ == "__main__":
    run(form)
