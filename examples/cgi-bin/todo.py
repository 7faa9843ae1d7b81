#!/usr/bin/env python3
"""The to-do list: a JSON API with GET, POST, PUT, PATCH and DELETE, and a page that uses it.

The classic: Scripts that were called by pages answered with JavaScript, changed data on a GET, and
told of an error with status 200 and a page in HTML.

Its holes: A link or an image deleted data; any site could read the answers; of two people who changed
the same thing, the one who saved last overwrote the other without a word.

This one: Each method does what it is for. A change needs the version that was read (ETag, If-Match).
Other sites are refused, except those that are named. Errors are problem details (RFC 9457).
"""

import json

from cgikit import CGIError, HTTPError, Limits, Request, Response, escape, run, update_json

FILE = "data/todo.json"
ORIGINS = ()  # other sites whose pages may use the API: ("https://app.example.org",)
MOST = 200  # entries
MOST_TEXT = 200  # characters

COLLECTION = "GET, HEAD, POST, OPTIONS"
ENTRY = "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"
KINDS = {"text": str, "done": bool}
EMPTY = {"version": 0, "last": 0, "entries": {}}

PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>To-do list</title>
<style>{style}
#entries {{ list-style: none; padding: 0 }}
#entries label {{ font-weight: 400; flex: 1 }}
#entries :checked + span {{ text-decoration: line-through; color: var(--soft) }}
</style>
<main>
<h1>To-do list</h1>
<p class="lead">This page has no data: it asks <a href="{api}">the API</a>.</p>
<noscript><p class="errors">The page needs JavaScript. The API does not.</p></noscript>
<section class="card" aria-label="New"><form id="new">
<div><label for="text">What is to be done?</label>
<input id="text" name="text" required maxlength="{most}" autocomplete="off"></div>
<button>Add</button></form></section>
<p id="said" role="status"></p>
<ul id="entries" data-api="{api}" aria-label="To do"></ul>
</main>
<script>
const list = document.getElementById("entries"), said = document.getElementById("said")
const text = document.getElementById("text"), api = list.dataset.api

async function ask(method, path = "", value, version) {{
  const headers = {{}}
  if (value !== undefined) headers["Content-Type"] = "application/json"
  if (version) headers["If-Match"] = version
  const answer = await fetch(api + path, {{method, headers, body: JSON.stringify(value)}})
  const body = answer.status === 204 ? null : await answer.json()
  said.textContent = answer.ok ? "" : body.detail
  said.className = answer.ok ? "" : "errors"
  return answer.ok ? body : null
}}

async function change(method, entry, value) {{
  const done = await ask(method, "/" + entry.id, value, entry.etag)
  const problem = said.textContent
  await show()
  if (problem) {{ said.textContent = problem; said.className = "errors" }}
  return done
}}

function row(entry) {{
  const item = document.createElement("li"), label = document.createElement("label")
  const box = document.createElement("input"), words = document.createElement("span")
  const button = document.createElement("button")
  item.className = "card row split"
  box.type = "checkbox"
  box.checked = entry.done
  box.onchange = () => change("PATCH", entry, {{done: box.checked}})
  words.textContent = entry.text  // never innerHTML: it is what anybody wrote
  button.textContent = "Delete"
  button.className = "quiet"
  button.setAttribute("aria-label", "Delete: " + entry.text)
  button.onclick = () => change("DELETE", entry)
  label.append(box, words)
  item.append(label, button)
  return item
}}

async function show() {{
  const found = await ask("GET")
  if (found) list.replaceChildren(...found.entries.map(row))
}}

document.getElementById("new").onsubmit = async event => {{
  event.preventDefault()
  if (await ask("POST", "", {{text: text.value}})) {{ text.value = ""; await show() }}
}}
show()
</script>
"""


def todo(request: Request):
    if request.path_info in {"", "/"}:
        api = escape(f"{request.script_name}/entries")
        return PAGE.format(style=STYLE, api=api, most=MOST_TEXT)
    try:
        check_origin(request)
        answer = of_api(request)
    except CGIError as error:
        answer = problem(error.status, error.message, error.headers)
    return with_cors(request, answer)


def of_api(request: Request):
    name, _, number = request.path_info.removeprefix("/").partition("/")
    if name != "entries" or "/" in number:
        raise HTTPError(404, "There is nothing here. The entries are at …/entries.")
    allowed = ENTRY if number else COLLECTION
    if request.method not in allowed.split(", "):
        raise HTTPError(405, f"Send one of {allowed}.", [("Allow", allowed)])
    if request.method == "OPTIONS":
        return Response("", 204, [("Allow", allowed)])
    if request.method == "POST":
        return create(request)
    if request.method in {"GET", "HEAD"}:
        return read(request, number)
    return change(request, number)


# --- what the methods do -------------------------------------------------------------------------


def read(request: Request, number):
    with update_json(FILE, default=EMPTY) as data:  # unchanged, so nothing is written
        complete(data)
        value = shown(data, number) if number else everything(data)
    etag = value["etag"]
    unchanged = etag in listed(request.headers.get("If-None-Match", ""))
    answer = Response("", 304) if unchanged else Response.json(value)
    answer.headers["ETag"] = etag
    answer.cache_control = "no-cache"  # a copy may be kept, but not used without asking
    return answer


def create(request: Request):
    value = {"done": False, **checked(request.json(), needed=["text"])}
    with update_json(FILE, default=EMPTY) as data:
        complete(data)
        if len(data["entries"]) >= MOST:
            raise HTTPError(409, f"There are {MOST} entries already. Delete one first.")
        data["last"] += 1
        data["version"] += 1
        number = str(data["last"])
        data["entries"][number] = {**value, "version": data["version"]}
        made = shown(data, number)
    answer = Response.json(made, 201)
    answer.headers["Location"] = f"{request.script_name}/entries/{number}"
    answer.headers["ETag"] = made["etag"]
    return answer


def change(request: Request, number):
    """Replace (PUT), change (PATCH, RFC 7396) or delete an entry, if it is as the client knows it."""
    value = {}
    if request.method != "DELETE":
        value = checked(request.json(), needed=KINDS if request.method == "PUT" else [])
    expected = listed(request.headers.get("If-Match", ""))
    with update_json(FILE, default=EMPTY) as data:  # if an error is raised, nothing is written
        complete(data)
        current = shown(data, number)["etag"]
        if not expected:
            raise HTTPError(428, "Send If-Match with the ETag of the entry that you have read.")
        if current not in expected and "*" not in expected:
            raise HTTPError(412, "Somebody has changed this in the meantime. Look at it again.")
        data["version"] += 1
        if request.method == "DELETE":
            del data["entries"][number]
            return Response("", 204)
        data["entries"][number].update(value, version=data["version"])
        changed = shown(data, number)
    answer = Response.json(changed)
    answer.headers["ETag"] = changed["etag"]
    return answer


def complete(data):
    """Give the file what it lacks: somebody may have emptied it by hand."""
    for name, value in EMPTY.items():
        data.setdefault(name, type(value)())


def shown(data, number):
    """An entry as clients see it."""
    entry = data["entries"].get(number)
    if entry is None:
        raise HTTPError(404, "There is no such entry. Perhaps somebody has deleted it.")
    etag = f'"{entry["version"]}"'
    return {"id": int(number), "text": entry["text"], "done": entry["done"], "etag": etag}


def everything(data):
    entries = [shown(data, number) for number in data["entries"]]
    return {"entries": entries, "etag": f'"all-{data["version"]}"'}


def listed(field):
    return [each.strip() for each in field.split(",") if each.strip()]


def checked(value, needed):
    """Return what a client sent, if it can be an entry, or a part of one."""
    if not isinstance(value, dict):
        raise HTTPError(422, 'Send an object, such as {"text": "Buy milk", "done": false}.')
    wrong = {name: "is not known" for name in value if name not in KINDS}
    wrong |= {name: "is missing" for name in needed if name not in value}
    for name, kind in KINDS.items():
        if name in value and type(value[name]) is not kind:
            wrong[name] = "must be true or false" if kind is bool else "must be a string"
    text = value.get("text", "x")
    if isinstance(text, str) and not (text.strip() and len(text) <= MOST_TEXT):
        wrong["text"] = f"must have 1 to {MOST_TEXT} characters"
    if wrong:
        said = "; ".join(f"{name[:50]!r} {what}" for name, what in list(wrong.items())[:5])
        raise HTTPError(422, f"This cannot be an entry: {said}.")
    return value


# --- errors, and other sites ---------------------------------------------------------------------


def problem(status, detail, headers=()):
    value = {"type": "about:blank", "status": status, "detail": detail}
    body = json.dumps(value).encode()
    return Response(body, status, headers, content_type="application/problem+json")


def check_origin(request: Request):
    """Refuse changes from pages of other sites: browsers say which site a page is of."""
    origin = request.headers.get("Origin", "")
    known = not origin or origin == request.origin or origin in ORIGINS
    if not known and request.method not in {"GET", "HEAD", "OPTIONS"}:
        raise HTTPError(403, "Pages of this site may not use the API.")


def with_cors(request: Request, answer):
    """Let the pages of the named sites, and of no others, read the answer (Fetch standard)."""
    answer.vary("Origin")
    origin = request.headers.get("Origin", "")
    if origin in ORIGINS:
        answer.headers["Access-Control-Allow-Origin"] = origin
        answer.headers["Access-Control-Expose-Headers"] = "ETag, Location"
        if request.method == "OPTIONS":
            answer.headers["Access-Control-Allow-Methods"] = "GET, POST, PUT, PATCH, DELETE"
            answer.headers["Access-Control-Allow-Headers"] = "Content-Type, If-Match"
            answer.headers["Access-Control-Max-Age"] = "600"
    return answer


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
    run(todo, limits=Limits(body=10_000))
