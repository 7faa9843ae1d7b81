#!/usr/bin/env python3
"""Three forms (GET, POST, multipart) and a list of everything that the script received."""

from cgikit import Request, escape, run

PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Forms</title>
<style>
  :root {{ color-scheme: light dark; background: Canvas }}
  body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem }}
  form {{ display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; margin: 1rem 0;
          padding: 1rem; border: 1px solid #8886; border-radius: .5rem }}
  form b {{ flex-basis: 100% }}
  td {{ font: .9rem/1.6 ui-monospace, monospace; padding-right: 1.5rem; white-space: pre-wrap;
        overflow-wrap: anywhere; vertical-align: top; min-width: 5rem }}
</style>
<main>
<h1>Forms</h1>
<form id="get" action="{action}" method="get">
  <b>GET: fields in the URL</b>
  <label>Name <input name="name"></label>
  <label><input type="checkbox" name="likes" value="tea"> tea</label>
  <label><input type="checkbox" name="likes" value="coffee"> coffee</label>
  <button>Send</button>
</form>
<form id="post" action="{action}?from=post" method="post">
  <b>POST: fields in the body, urlencoded</b>
  <label>Name <input name="name"></label>
  <label>Text <textarea name="text" rows="2"></textarea></label>
  <button>Send</button>
</form>
<form id="multipart" action="{action}" method="post" enctype="multipart/form-data">
  <b>POST: fields and files in the body, multipart</b>
  <label>Name <input name="name"></label>
  <label>File <input type="file" name="file" multiple></label>
  <button>Send</button>
</form>
<h2>What the script received</h2>
<table id="got">
{rows}
</table>
</main>
"""


def row(source, name, value):
    cells = "".join(f"<td>{escape(cell)}</td>" for cell in (source, name, value))
    return f"<tr>{cells}</tr>"


def forms(request: Request):
    rows = [row("method", "", request.method)]
    rows += [row("query", name, value) for name, value in request.query.pairs()]
    rows += [row("form", name, value) for name, value in request.form.pairs()]
    for name, upload in request.files.pairs():
        rows.append(row("file", name, f"{upload.client_filename} ({upload.size} bytes)"))
        rows.append(row("stored as", name, upload.filename))
    return PAGE.format(action=escape(request.script_name), rows="\n".join(rows))


if __name__ == "__main__":
    run(forms)
