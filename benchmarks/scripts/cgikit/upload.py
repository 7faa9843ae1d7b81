"""A handler for run(): a large file, saved."""

from cgikit import Limits, Response, run


def upload(request):
    """Save the file and say how large it is."""
    file = request.files["file"]
    file.save("upload.bin")
    return Response.html(f"<p>{file.size} bytes saved</p>")


if __name__ == "__main__":
    run(upload, limits=Limits(body=2 << 30, file=2 << 30))
