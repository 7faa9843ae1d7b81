#!/usr/bin/env python3
"""An upload: its size and checksum, computed while reading it piece by piece."""

import hashlib

from cgikit import Limits, Request, escape, run

PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Upload</title>
<style>
  :root {{ color-scheme: light dark; background: Canvas }}
  body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem }}
  dd {{ font-family: ui-monospace, monospace; overflow-wrap: anywhere; margin: 0 0 .5rem }}
</style>
<main>
<h1>Upload</h1>
<form action="{action}" method="post" enctype="multipart/form-data">
  <label>File <input type="file" name="file" required></label>
  <button>Upload</button>
</form>
{result}
</main>
"""

RESULT = """<dl id="result">
  <dt>Name</dt><dd>{name}</dd>
  <dt>Type, as the client says</dt><dd>{type}</dd>
  <dt>Size</dt><dd>{size} bytes</dd>
  <dt>SHA-256</dt><dd>{digest}</dd>
</dl>"""


def upload(request: Request):
    result = ""
    file = request.files.get("file")
    if file:
        result = RESULT.format(
            name=escape(file.filename),
            type=escape(file.content_type),
            size=file.size,
            digest=hashlib.file_digest(file.file, "sha256").hexdigest(),
        )
        # To keep it, under a name that no visitor has chosen, in a folder that has nothing else:
        # file.save(f"data/uploaded/{secrets.token_hex(16)}")
    return PAGE.format(action=escape(request.script_name), result=result)


if __name__ == "__main__":
    run(upload, limits=Limits(body=512 << 20, file=512 << 20))
