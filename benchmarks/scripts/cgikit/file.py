"""A handler for run(): a multipart form with a text field and a small file."""

from cgikit import Response, escape, run


def file(request):
    """Say what came, and how large the file is."""
    note = request.form.get("note", "")
    upload = request.files["file"]
    return Response.html(f"<p>{escape(note)}: {escape(upload.filename)}, {upload.size} bytes</p>")


if __name__ == "__main__":
    run(file)
