"""A session, loaded, changed and saved."""

from cgikit import FileStore, Response, run


def visit(request):
    """Count the visits of one visitor."""
    session = request.session
    session["visits"] = session.get("visits", 0) + 1
    return Response.html(f"<p>Your visit number <b>{session['visits']}</b></p>")


if __name__ == "__main__":
    run(visit, sessions=FileStore("data/sessions"))
