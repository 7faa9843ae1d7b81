#!/usr/bin/env python3
"""Takes pictures, and lists those that were sent."""

import re
from pathlib import Path

from cgikit import Limits, Request, Response, escape, fields, run
from cgikit.upload import safe_filename

DIRECTORY = Path("data/pictures")
BEGINNINGS = {b"GIF8": "gif", b"\xff\xd8\xff": "jpg", b"\x89PNG": "png"}

PAGE = """<!DOCTYPE html>
<html lang="en"><meta name="viewport" content="width=device-width"><title>Pictures</title>
<style>label, textarea {{ display: block; margin-top: .5rem }}</style>
<main><h1>Pictures</h1>
<p>{message}</p>
{form}
<ul>{pictures}</ul>
</main>"""


def pictures(request: Request):
    kept = request.query.get("kept")
    sizes = {path.name: path.stat().st_size for path in sorted(DIRECTORY.glob("[!.]*"))}
    message = f"{kept} is here. Thank you." if kept in sizes else ""
    if request.method == "POST":
        message, kept = receive(request)
        if kept:
            return Response.redirect(request.url(base=False, query={"kept": kept}))
    form = fields.form(
        request,
        fields.file(request, "picture", label="Picture"),
        fields.text(request, "name", label="Name", maxlength=40),
        fields.button(request, label="Send"),
    )
    listed = "".join(f"<li>{escape(name)} {size} bytes</li>" for name, size in sizes.items())
    return PAGE.format(message=escape(message), form=form, pictures=listed)


def receive(request: Request):
    """Keep the picture; return what is wrong with it, or the name that it has now."""
    picture = request.files.get("picture")
    if not picture:
        return "Please choose a picture.", ""
    start = picture.read(4)
    ending = next((BEGINNINGS[begin] for begin in BEGINNINGS if start.startswith(begin)), "")
    if not ending:
        return "Only GIF, JPEG and PNG, please.", ""
    stem = Path(safe_filename(request.form.get("name") or picture.filename)).stem
    name = f"{re.sub('[^A-Za-z0-9_-]+', '_', stem)}.{ending}"
    try:
        picture.save(DIRECTORY / name)
    except FileExistsError:
        return f"There is a {name} already.", ""
    return "", name


if __name__ == "__main__":
    run(pictures, limits=Limits(body=200 * 1024))
