"""Answer with one of the files that lie beside this script."""

from cgikit import Response, run

FILES = ("large.bin", "small.bin")


def download(request):
    """Send it, as a program for downloads would."""
    return Response.file(request.query.getchoice("file", FILES))


if __name__ == "__main__":
    run(download)
