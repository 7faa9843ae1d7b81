"""The counter of the README."""

from cgikit import Counter, Response, run


def hits(request):
    """Count a visit and show the number."""
    digits = request.query.getint("digits", default=6, min=1, max=12)
    count = Counter("data/count.dat").increment()
    return Response.html(f"<p>You are visitor number <b>{count:0{digits}d}</b></p>")


if __name__ == "__main__":
    run(hits)
