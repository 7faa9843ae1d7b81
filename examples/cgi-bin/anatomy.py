#!/usr/bin/env python3
"""The anatomy of a request: a page that shows what reached the script, and what the script answers.

The classic: Every cgi-bin had a script such as test-cgi or printenv, which printed all variables.

Its holes: It printed them unescaped, and so ran what a link put there; test-cgi listed the server's
files (CVE-1999-0070); printenv showed paths, versions and passwords of the server to everybody.

This one: It shows only variables of the request, each with a word about it, and everything is escaped.
The values of cookies and passwords are masked. It also shows the bytes before they are decoded.
"""

import io
import re
from urllib.parse import unquote_plus

from cgikit import CGIError, Limits, Request, Response, escape, parse_header, run

MOST_SHOWN = 2000  # characters of a value, or of the body
MASK = "••••••"
SECRET = ("pass", "pwd", "secret", "token", "session", "csrf", "auth", "cookie", "key")

# Only variables of the request: the server's own environment may contain passwords.
VARIABLES = {
    "REQUEST_METHOD": "What the browser wants done: GET reads, POST sends something.",
    "SCRIPT_NAME": "The part of the URL that leads to this script.",
    "PATH_INFO": "The rest of the path, after the script. It is decoded.",
    "QUERY_STRING": "Everything after the question mark, not decoded.",
    "CONTENT_TYPE": "What kind of body was sent. The boundary of a multipart form is here, too.",
    "CONTENT_LENGTH": "How many bytes of body can be read from standard input.",
    "SERVER_NAME": "The host in the URL, or the name that the server was given.",
    "SERVER_PORT": "The port that the request came to.",
    "SERVER_PROTOCOL": "The version of HTTP that the browser, or a proxy, speaks to the server.",
    "SERVER_SOFTWARE": "What the server calls itself.",
    "GATEWAY_INTERFACE": "The version of CGI: these variables are defined in RFC 3875.",
    "REMOTE_ADDR": "The address of the browser, or of the last proxy.",
    "REMOTE_HOST": "Its name, if the server looked it up.",
    "REMOTE_USER": "Who logged in, if the server asked for a password.",
    "AUTH_TYPE": "How the server asked for the password.",
    "HTTPS": "Set by many servers if the connection is encrypted; not part of the standard.",
    "HTTP_HOST": "The host that the browser asked for; a visitor can write anything here.",
    "HTTP_USER_AGENT": "What the browser calls itself. All of them begin with Mozilla.",
    "HTTP_ACCEPT": "The types that the browser can show, the preferred ones with a higher q.",
    "HTTP_ACCEPT_LANGUAGE": "The languages that the visitor reads.",
    "HTTP_ACCEPT_ENCODING": "The compressions that the browser understands.",
    "HTTP_COOKIE": "All cookies in one line. Their values are masked here.",
    "HTTP_REFERER": "The page with the link or the form. It proves nothing.",
    "HTTP_ORIGIN": "The site whose page sent this. Browsers send it with a POST.",
}

PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>The anatomy of a request</title>
<style>{style}
pre {{ white-space: pre-wrap; background: var(--tint); padding: .8rem 1rem; border-radius: .5rem }}
mark {{ background: var(--accent); color: var(--on-accent); border-radius: .3rem; padding: 0 .4rem }}
th {{ vertical-align: top; font-size: .9rem }}
@media (min-width: 40rem) {{ .names th {{ white-space: nowrap }} }}
td:nth-child(2) {{ font-family: ui-monospace, monospace; font-size: .9rem }}
@media (max-width: 40rem) {{
  td, th {{ display: block; border: 0; padding: 0 }} tr {{ display: block; margin-bottom: 1rem }}
}}
</style>
<body class="wide">
<main>
<h1>The anatomy of a request</h1>
<p class="lead">This is what your browser just sent, and what the script answers.
<a href="#try">Send another one</a></p>
<h2>1. What the browser sent</h2>
<p>A line with the method, the URL and the version of HTTP; the header fields; an empty line; and the
body, if there is one. The server has taken it apart, and here it is put together again.</p>
<pre>{sent}</pre>
<h2>2. What the server made of it: variables</h2>
<p>The server starts the script, and gives it the request as environment variables. Those that begin
with <code>HTTP_</code> are the header fields.</p>
<div class="card"><table class="names">{variables}</table></div>
<h2>3. The query string</h2>
<p>It is raw in the variable: <code>&amp;</code> separates fields, <code>+</code> is a space, and
<code>%</code> with two digits is a byte.</p>
<div class="grid"><section class="card" aria-label="The raw query"><h3>Raw</h3><pre>{raw_query}</pre>
</section><section class="card" aria-label="The decoded query"><h3>Decoded</h3>{query}</section></div>
<h2>4. The body, on standard input</h2>
{body}
<h2>5. Cookies</h2>
{cookies}
<h2>6. What the script answers</h2>
<p>It prints this on standard output. The empty line ends the header: a script that forgets it gets
the most common error of all, 500. The server adds the line with the status, and fields of its own.</p>
<pre>{answer}</pre>
<h2 id="try">Send another request</h2>
{forms}
</main>
"""
FORMS = """<div class="grid">
<form class="card" action="{here}" aria-label="GET"><h3>GET: in the URL</h3>
<div><label for="word">A word</label>
<input id="word" name="word" value="caf&eacute; &amp; cr&egrave;me"></div>
<fieldset><legend>Several values for one name</legend>
<label><input type="checkbox" name="tea" value="green" checked> Green</label>
<label><input type="checkbox" name="tea" value="black" checked> Black</label></fieldset>
<button>GET</button></form>
<form class="card" action="{here}/some/path?from=the+form" method="post" aria-label="POST">
<h3>POST: in the body</h3>
<div><label for="name">Name</label><input id="name" name="name" value="Ada &lt;b&gt;"></div>
<div><label for="password">Password (do not use a real one)</label>
<input id="password" name="password" type="password" autocomplete="off"></div>
<div><label><input type="checkbox" name="flavour" value="oatmeal"> Set a cookie</label></div>
<button>POST</button></form>
<form class="card" action="{here}" method="post" enctype="multipart/form-data" aria-label="A file">
<h3>POST with a file: in parts</h3>
<div><label for="title">Title</label><input id="title" name="title" value="Holiday"></div>
<div><label for="file">File (not kept)</label><input id="file" name="file" type="file"></div>
<button>Send the file</button></form>
<section class="card" aria-label="Links"><h3>Links</h3><ul>
<li><a href="{here}">No query</a></li>
<li><a href="{here}/after/the/script?a=1&amp;a=2&amp;empty=&amp;no-sign">A path and a query</a></li>
<li><a href="{here}?x=%3Cscript%3Ealert(1)%3C/script%3E">Markup in the query</a></li>
<li><a href="{here}?x=%FF%00">Bytes that are not text</a></li></ul></section>
</div>"""


def anatomy(request: Request):
    raw = request.body
    parts = {
        "sent": sent(request, raw),
        "variables": variables(request),
        "raw_query": shown(masked_query(request.environ.get("QUERY_STRING", ""))) or "(empty)",
        "query": attempt(lambda: table(request.query.pairs(), "There are no fields in it.")),
        "body": body(request, raw),
        "cookies": attempt(lambda: cookies(request)),
        "forms": FORMS.format(here=escape(request.script_name)),
    }
    wants_cookie = raw and "flavour=oatmeal" in raw.decode("latin-1").split("&")
    return with_its_own_header(request, parts, wants_cookie)


def with_its_own_header(request: Request, parts, wants_cookie):
    """Return a page that shows its header, in which the length of the page stands."""
    header, response = "", None
    for _ in range(
        4
    ):  # a longer header makes a longer page: twice is enough, unless a digit is new
        response = Response.html(PAGE.format(style=STYLE, answer=header, **parts))
        response.cache_control = "no-store"
        if wants_cookie:
            response.set_cookie("flavour", "oatmeal", path=request.script_name)
        block = printed(response, request)
        if block == header:
            break
        header = block
    return response


def printed(response, request: Request):
    """The header as `send` prints it, with the empty line marked, as HTML."""
    output = io.BytesIO()
    copy = Response(response.body, response.status, response.headers.items())
    copy.send(output, request)
    lines = output.getvalue().partition(b"\n\n")[0].decode().replace("\r", "").split("\n")
    lines = [f"Set-Cookie: flavour={MASK}" if "oatmeal" in line else line for line in lines]
    block = "\n".join(map(escape, lines))
    return f'{block}\n<mark>the empty line</mark>\n&lt;!DOCTYPE html&gt;\n&lt;html lang="en"&gt;\n…'


def attempt(part):
    """Return a part of the page; or what is wrong with the request, which is worth seeing, too."""
    try:
        return part()
    except CGIError as error:
        return f'<p class="errors">{shown(error.message)}</p>'


# --- what is shown -------------------------------------------------------------------------------


def shown(text):
    """Escape a text, cut it, and replace what cannot be seen."""
    cut = text[:MOST_SHOWN]
    seen = "".join(char if char.isprintable() or char in "\n\t" else visible(char) for char in cut)
    more = f"\n… and {len(text) - MOST_SHOWN} more" if len(text) > MOST_SHOWN else ""
    return escape(seen + more)


def visible(char):
    return "" if char == "\r" else f"\\x{ord(char):02x}"


def is_secret(name):
    return any(word in name.lower() for word in SECRET)


def masked_query(raw):
    """Mask the secrets in fields as they are sent: name=value&name=value."""
    pairs = []
    for pair in raw.split("&"):
        name, sign, _ = pair.partition("=")
        pairs.append(f"{name}={MASK}" if sign and is_secret(unquote_plus(name)) else pair)
    return "&".join(pairs)


def masked_variable(name, value):
    if name == "HTTP_COOKIE":
        pairs = (each.strip().rpartition("=") for each in value.split(";"))
        return "; ".join(f"{name.partition('=')[0]}{sign}{MASK}" for name, sign, _ in pairs)
    if is_secret(name.removeprefix("HTTP_")):
        return MASK if name != "AUTH_TYPE" else value
    if name == "QUERY_STRING":
        return masked_query(value)
    before, sign, query = value.partition("?")  # a Referer, for instance
    return f"{before}{sign}{masked_query(query)}"


def chosen(request: Request):
    """The variables that are shown, with their values masked: no others of the environment."""
    return {
        name: masked_variable(name, value)
        for name, value in request.environ.items()
        if name in VARIABLES or name.startswith("HTTP_")
    }


def sent(request: Request, raw):
    query = masked_query(request.environ.get("QUERY_STRING", ""))
    url = request.url(base=False, query=False) + (f"?{query}" if query else "")
    lines = [f"{request.method} {url} {request.environ.get('SERVER_PROTOCOL', '')}"]
    for name, value in sorted(chosen(request).items(), key=lambda pair: pair[0] != "HTTP_HOST"):
        if name in {"CONTENT_TYPE", "CONTENT_LENGTH"} and value:
            name = f"HTTP_{name}"
        if name.startswith("HTTP_"):
            lines.append(f"{name.removeprefix('HTTP_').replace('_', '-').title()}: {value}")
    head = "\n".join(map(shown, lines))
    return f"{head}\n<mark>the empty line</mark>\n{shown(masked_body(request, raw)) if raw else ''}"


def variables(request: Request):
    rows = []
    given = chosen(request)
    order = {name: number for number, name in enumerate(VARIABLES)}
    for name in sorted(given, key=lambda name: (order.get(name, len(order)), name)):
        about = VARIABLES.get(name, "Another header field.")
        rows.append(
            f'<tr><th scope="row">{shown(name)}</th><td>{shown(given[name]) or "(empty)"}</td>'
            f'<td class="soft">{about}</td></tr>'
        )
    return "\n".join(rows)


def table(pairs, none):
    rows = "".join(
        f'<tr><th scope="row">{shown(name)}</th>'
        f"<td>{MASK if is_secret(name) else shown(value)}</td></tr>"
        for name, value in pairs
    )
    return f"<table>{rows}</table>" if rows else f"<p>{none}</p>"


def body(request: Request, raw):
    if not raw:
        return "<p>There is none: the browser sent no CONTENT_LENGTH, or 0. A GET has no body.</p>"
    return f"""<p>{len(raw)} bytes, as CONTENT_LENGTH says. A script must not read more.</p>
<div class="grid"><section class="card" aria-label="The raw body"><h3>Raw</h3>
<pre>{shown(masked_body(request, raw))}</pre></section>
<section class="card" aria-label="The decoded body"><h3>Decoded</h3>
{attempt(lambda: decoded_body(request, raw))}</section></div>"""


def decoded_body(request: Request, raw):
    again = Request(request.environ, io.BytesIO(raw))  # a body can be read once, so it gets a copy
    pairs = again.form.pairs()
    for name, upload in again.files.pairs():
        about = f"{upload.client_filename}: {upload.size} bytes, {upload.content_type}"
        pairs.append((name, about))
    return table(pairs, "There are no fields in it.")


def masked_body(request: Request, raw):
    """Return the body as text, its secrets masked, whatever its type."""
    kind, parameters = parse_header(request.content_type)
    text = raw.decode("utf-8", "backslashreplace")
    if kind.lower() == "application/x-www-form-urlencoded":
        return masked_query(text)
    boundary = f"--{parameters.get('boundary', '')}"
    if kind.lower() == "multipart/form-data" and boundary != "--":
        return boundary.join(map(masked_part, text.split(boundary)))
    # A type that the script does not know: from the first line on that names a secret, nothing is
    # shown, because the secret may stand on a later one.
    lines = text.split("\n")
    first = next((number for number, line in enumerate(lines) if is_secret(line)), len(lines))
    return "\n".join(lines[:first] + [f"({MASK})"] * (first < len(lines)))


def masked_part(part):
    head, *value = re.split(r"\r?\n\r?\n", part, maxsplit=1)
    if not is_secret(head):
        return part
    return f"{head}\r\n\r\n{MASK}\r\n" if value else f"\r\n({MASK})\r\n"


def cookies(request: Request):
    pairs = [(name, MASK) for name, _ in request.cookies.items()]
    none = "The browser sent none. It sends those that this site has set."
    return table(pairs, none) if not pairs else f'<div class="card">{table(pairs, none)}</div>'


# --- the style: examples/style.css, put here by `make gallery` ---
STYLE = """
:root {
  color-scheme: light dark;
  --page: light-dark(#f4f6f9, #12151b); --card: light-dark(#fff, #1b2029);
  --ink: light-dark(#1a202c, #e8ebf0); --soft: light-dark(#525d6e, #a8b2c1);
  --line: light-dark(#d9dfe8, #333b48); --edge: light-dark(#7b8698, #768194);
  --accent: light-dark(#1f4fd1, #8fb4ff); --on-accent: light-dark(#fff, #0c1526);
  --tint: light-dark(#e9effd, #202b42);
  --bad: light-dark(#b3141f, #ffb0a8); --bad-tint: light-dark(#fdecec, #3a1f21);
  background: var(--page); color: var(--ink);
  font: 1.0625rem/1.6 system-ui, sans-serif; overflow-wrap: anywhere;
}
* { box-sizing: border-box }
body { margin: 0 }
main { max-width: 44rem; margin: 0 auto; padding: 2rem 1rem 4rem }
.wide main { max-width: 68rem }
h1 { font-size: 1.9rem; line-height: 1.2; letter-spacing: -.02em; margin: 0 0 1.1rem }
h2 { font-size: 1.15rem; line-height: 1.3; margin: 2.2rem 0 .8rem }
p, ul, ol, dl { margin: 0 0 .9rem }
a { color: var(--accent); text-underline-offset: .18em }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
.lead, .soft, time { color: var(--soft) }
.lead { margin-top: -.6rem }
.soft, time, .field-hint { font-size: .9rem }
.card, .note, .errors {
  background: var(--card); border: 1px solid var(--line); border-radius: .75rem;
  padding: 1.1rem 1.25rem; margin: 0 0 1rem; box-shadow: 0 1px 2px #0000000d;
}
.card > :last-child, .note > :last-child, .errors > :last-child { margin-bottom: 0 }
.card h2, .card h3, .errors h2 { font-size: 1.05rem; margin: 0 0 .3rem }
.note { background: var(--tint); border-color: var(--accent) }
.errors { background: var(--bad-tint); border: 2px solid var(--bad) }
.errors a, .field-error { color: var(--bad); font-weight: 600 }
.text { white-space: pre-line }
.row { display: flex; flex-wrap: wrap; gap: .6rem 1rem; align-items: center }
.split { justify-content: space-between }
.row > h1, .row > h2, .row > h3 { margin: 0 }
.grid {
  display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(min(24rem, 100%), 1fr));
}
.grid .card { margin: 0 }
form { display: grid; gap: 1rem; margin: 0 }
form > .card, form > h2 { margin-bottom: 0 }
form > div, fieldset { display: grid; gap: .3rem }
form.row, form > .row { display: flex }
label, legend { font-weight: 600 }
fieldset { border: 1px solid var(--line); border-radius: .6rem; padding: .6rem 1rem 1rem; margin: 0 }
fieldset label { font-weight: 400 }
.field-hint { color: var(--soft) }
input, textarea, select, button { font: inherit; color: inherit }
input:not([type=radio], [type=checkbox], [type=hidden]), textarea, select {
  width: 100%; padding: .55rem .7rem; border: 1px solid var(--edge); border-radius: .5rem;
  background: var(--page);
}
input[type=radio], input[type=checkbox] { width: 1.15rem; height: 1.15rem; accent-color: var(--accent) }
input[type=radio], input[type=checkbox] { margin: 0 .35rem 0 0; vertical-align: -.15rem }
[aria-invalid=true] { outline: 2px solid var(--bad) }
button, .button {
  justify-self: start; padding: .6rem 1.2rem; border: 1px solid var(--accent); border-radius: .5rem;
  background: var(--accent); color: var(--on-accent); font-weight: 600; text-decoration: none;
  cursor: pointer;
}
button:hover, .button:hover { filter: brightness(1.1) }
.quiet { background: transparent; color: var(--accent) }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .5rem .75rem .5rem 0; border-bottom: 1px solid var(--line) }
td { vertical-align: top }
pre, code { font-family: ui-monospace, monospace; font-size: .9em }
pre { overflow: auto; margin: 0 }
img, svg { max-width: 100% }
meter, progress { width: 100%; height: 1rem; accent-color: var(--accent) }
[hidden] { display: none }
"""
# --- the end of the style ---

if __name__ == "__main__":
    run(anatomy, limits=Limits(body=2_000_000, memory=2_000_000))
