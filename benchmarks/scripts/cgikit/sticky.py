"""A page with a form of eight fields, filled with what was sent."""

from cgikit import Response, fields, run

COLOURS = ["red", "green", "blue"]


def page(request):
    """Show the form."""
    form = fields.form(
        request,
        fields.text(request, "name", label="Name"),
        fields.text(request, "email", type="email", label="E-mail"),
        fields.text(request, "age", type="number", label="Age"),
        fields.select(request, "colour", COLOURS, label="Colour"),
        fields.radios(request, "size", ["s", "m", "l"], label="Size"),
        fields.checkbox(request, "news", label="News"),
        fields.checkbox(request, "terms", label="Terms"),
        fields.textarea(request, "note", label="Note"),
        fields.button(request, label="Send"),
    )
    return Response.html(f"<h1>Sign up</h1>\n{form}\n")


if __name__ == "__main__":
    run(page)
