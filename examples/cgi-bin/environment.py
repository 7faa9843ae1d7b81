#!/usr/bin/env python3
"""The environment that the server gives a script: every meta-variable, escaped."""

from cgikit import Request, escape, run

PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Environment</title>
<style>
  :root {{ color-scheme: light dark; background: Canvas }}
  body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem }}
  td {{ font: .85rem/1.6 ui-monospace, monospace; vertical-align: top; overflow-wrap: anywhere }}
  code {{ overflow-wrap: anywhere }}
  td:first-child {{ padding-right: 1.5rem; white-space: nowrap }}
  @media (max-width: 40rem) {{ td {{ display: block }} td:first-child {{ font-weight: bold }} }}
</style>
<main>
<h1>Environment</h1>
<p>This request is <code>{url}</code>.</p>
<h2>The request</h2>
<table>{request}</table>
<h2>The client's header fields</h2>
<table>{headers}</table>
</main>
"""

# Only variables of the request: the server's own environment may contain passwords.
OWN = {"AUTH_TYPE", "CONTENT_LENGTH", "CONTENT_TYPE", "GATEWAY_INTERFACE", "HTTPS", "PATH_INFO",
       "PATH_TRANSLATED", "QUERY_STRING", "REMOTE_ADDR", "REMOTE_HOST", "REMOTE_USER",
       "REQUEST_METHOD", "SCRIPT_NAME", "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL",
       "SERVER_SOFTWARE"}  # fmt: skip


def rows(pairs):
    return "\n".join(
        f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>" for name, value in sorted(pairs)
    )


def show(request: Request):
    return PAGE.format(
        url=escape(request.url()),
        request=rows((name, value) for name, value in request.environ.items() if name in OWN),
        headers=rows(request.headers.items()),
    )


if __name__ == "__main__":
    run(show)
