#!/usr/bin/env python3
# why: A file is sent.
# first: UPLOAD / note=oak7731 file=@a.txt:first
# second: UPLOAD / note=elm file=@b.txt:second
from cgikit import Response, run


def show(request):
    upload = request.files["file"]
    return Response.text(f"{request.form['note']}: {upload.filename} {upload.read()!r}")


if __name__ == "__main__":
    run(show)
