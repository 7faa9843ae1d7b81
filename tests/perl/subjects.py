"""What is compared with CGI.pm: how a case is made, what each side says, in one form for both.

CGI.pm gives bytes and cgikit text: bytes are read as UTF-8 here, with U+FFFD for what is not.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from io import BytesIO
from typing import Any
from urllib.parse import quote, unquote

import posting

from cgikit import BadRequest, Request, Response, cookies, dates, html, querystring
from cgikit.environ import MetaVariables

from . import pieces
from .oracle import Died, Lists, Oracle

Case = dict[str, Any]
REFUSED = "refused"


@dataclass(frozen=True)
class Subject:
    """A function that both have; `share` is how many of 1,000 cases are about it."""

    name: str
    share: int
    make: Callable[[random.Random], Case]
    ours: Callable[[Case], Any]
    perl: Callable[[Oracle, Case], Any]


def ours(subject: Subject, case: Case) -> Any:
    """What cgikit says; `REFUSED` for its own errors."""
    try:
        return subject.ours(case)
    except (BadRequest, ValueError):
        return REFUSED


def perl(subject: Subject, oracle: Oracle, case: Case) -> Any:
    """What CGI.pm says; `REFUSED` where it dies."""
    try:
        return subject.perl(oracle, case)
    except Died:
        return REFUSED


def text(raw: bytes | None) -> str | None:
    return None if raw is None else raw.decode("utf-8", "replace")


def flat(variables: dict[str, str]) -> list[str]:
    return [item for pair in variables.items() for item in pair]


def asked(oracle: Oracle, case: Case, *parts: str) -> Lists:
    """What CGI.pm says of a request."""
    return oracle.ask(["request", case.get("body", b""), *parts], flat(case["environ"]))


def named(lists: Lists, kind: bytes) -> list[tuple[str | None, list[str | None]]]:
    """The lists of a kind as names with their values."""
    return [
        (text(items[1]), [text(item) for item in items[2:]]) for items in lists if items[0] == kind
    ]


def grouped(pairs: list[tuple[str, str]]) -> list[tuple[str, list[str]]]:
    """Pairs as names in their order with all their values."""
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return list(found.items())


# --- fields ------------------------------------------------------------------------------------


def make_query(rng: random.Random) -> Case:
    method = rng.choice(("GET", "GET", "GET", "HEAD", "DELETE"))
    return {"environ": {"REQUEST_METHOD": method, "QUERY_STRING": pieces.query(rng)}}


def our_query(case: Case) -> Any:
    return grouped(Request(case["environ"], BytesIO()).query.pairs())


def perl_query(oracle: Oracle, case: Case) -> Any:
    return named(asked(oracle, case, "params"), b"param")


def our_semicolons(case: Case) -> Any:
    query = case["environ"]["QUERY_STRING"]
    return grouped(querystring.parse(query, semicolons=True).pairs())


def make_form(rng: random.Random) -> Case:
    body = pieces.query(rng).encode()
    method = rng.choice(("POST", "POST", "POST", "PUT", "PATCH"))
    kind = rng.choice((posting.URLENCODED, posting.URLENCODED + "; charset=UTF-8"))
    query = pieces.query(rng) if rng.random() < 0.5 else ""
    return {
        "environ": posting.environ(body, kind, method, QUERY_STRING=query),
        "body": body,
    }


def our_form(case: Case) -> Any:
    request = Request(case["environ"], BytesIO(case["body"]))
    return [grouped(request.form.pairs()), sorted(grouped(request.query.pairs()))]


def perl_form(oracle: Oracle, case: Case) -> Any:
    lists = asked(oracle, case, "params", "url_params")
    return [named(lists, b"param"), sorted(named(lists, b"url_param"))]


def make_keywords(rng: random.Random) -> Case:
    words = [pieces.escaped(rng, pieces.word(rng)) for _ in range(rng.randrange(4))]
    query = rng.choice(("+", "+", "+", "%20", "++")).join(words)
    if rng.random() < 0.2:
        query = pieces.query(rng) + rng.choice(("", "&keywords=a"))
    return {"environ": {"REQUEST_METHOD": "GET", "QUERY_STRING": query}}


def our_keywords(case: Case) -> Any:
    return Request(case["environ"], BytesIO()).keywords


def perl_keywords(oracle: Oracle, case: Case) -> Any:
    (found,) = asked(oracle, case, "keywords")
    return [text(word) for word in found[1:]]


def our_built(case: Case) -> Any:
    return querystring.build(dict(our_query(case)))


def perl_built(oracle: Oracle, case: Case) -> Any:
    (found,) = asked(oracle, case, "query_string")
    return text(found[1])


TYPES = ("application/json", "text/plain", "application/octet-stream", "image/png", "text/xml")


def make_body(rng: random.Random) -> Case:
    body = rng.randbytes(rng.randrange(200)) if rng.random() < 0.5 else pieces.query(rng).encode()
    method = rng.choice(("POST", "PUT", "PATCH"))
    return {"environ": posting.environ(body, rng.choice(TYPES), method), "body": body}


def our_body(case: Case) -> Any:
    return Request(case["environ"], BytesIO(case["body"])).body


def perl_body(oracle: Oracle, case: Case) -> Any:
    ((_, name, *values),) = asked(oracle, case, "params")
    assert name == case["environ"]["REQUEST_METHOD"].encode() + b"DATA"
    return values[0]


# --- uploads -----------------------------------------------------------------------------------

FILES = (
    "photo.png", "notes.txt", "My CV.pdf", "naïve.txt", "日本.txt", "C:\\dir\\a.txt", "/tmp/a.txt",
    "a;b.txt", "a=b", "x" * 200, "", "it's.txt", "50%.txt", ".profile", "a..b", "a,b.txt",
)  # fmt: skip


def quoted(value: str) -> str:
    """A name as browsers write it (WHATWG HTML, multipart/form-data)."""
    return value.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")


def make_multipart(rng: random.Random) -> Case:
    parts = []
    for _ in range(rng.randrange(5)):
        name = quoted(pieces.name(rng)).replace("\0", "")
        content = rng.choice((pieces.word(rng).encode(), rng.randbytes(rng.randrange(64)), b""))
        content = content.replace(posting.BOUNDARY.encode(), b"")
        if rng.random() < 0.5:
            parts.append(posting.field(name, content))
        else:
            kind = rng.choice((*TYPES, "text/html; charset=utf-8"))
            file = quoted(rng.choice(FILES))
            parts.append(posting.file(name, file, content if file else b"", kind))
    body = posting.multipart(*parts)
    query = pieces.query(rng) if rng.random() < 0.2 else ""
    return {
        "environ": posting.environ(body, posting.MULTIPART, QUERY_STRING=query),
        "body": body,
        "parts": parts,
    }


def our_multipart(case: Case) -> Any:
    request = Request(case["environ"], BytesIO(case["body"]))
    try:
        fields = sorted(grouped(request.form.pairs()))
        files = [
            (name, upload.filename, upload.content_type, upload.read())
            for name, upload in request.files.pairs()
        ]
        return [fields, sorted(files, key=by_name)]
    finally:
        request.close()


def perl_multipart(oracle: Oracle, case: Case) -> Any:
    lists = asked(oracle, case, "uploads")
    if lists and lists[-1][0] == b"error":
        return REFUSED
    pairs = [(text(i[1]) or "", text(i[2]) or "") for i in lists if i[0] == b"field"]
    files = [
        (text(i[1]) or "", text(i[2]) or "", text(i[3]) or "", i[4] or b"")
        for i in lists
        if i[0] == b"file"
    ]
    return [sorted(grouped(pairs)), sorted(files, key=by_name)]


def by_name(file: tuple[str, str, str, bytes]) -> str:
    """CGI.pm has fields by their names: only the order of those of one name can be compared."""
    return file[0]


# --- cookies -----------------------------------------------------------------------------------


def make_cookies(rng: random.Random) -> Case:
    header = pieces.cookie_header(rng)
    return {"environ": {"REQUEST_METHOD": "GET", "HTTP_COOKIE": header}}


def our_cookies(case: Case) -> Any:
    found = cookies.parse(case["environ"]["HTTP_COOKIE"])
    return sorted((name, [found[name]]) for name in found)


def perl_cookies(oracle: Oracle, case: Case) -> Any:
    return sorted(named(asked(oracle, case, "cookies"), b"cookie"))


TIMES = (
    "now", "+30s", "+10m", "+1h", "-1d", "+3M", "+1y", "+1.5h", "1d", "+0.5d", "0", "+0s", "NOW",
    "+5", "yesterday", "", "+1w", "+1dx", "Thu, 01 Jan 2026 00:00:00 GMT", "1700000000", "+h", "+1 d",
    "+.5h", "-99y", "+.001s", "12ab", "1e3", "+1d\n", "٣d", "+1D",
)  # fmt: skip
NOW = 1_700_000_000


def time(rng: random.Random) -> str:
    if rng.random() < 0.5:
        return rng.choice(TIMES)
    number = rng.choice((rng.randrange(100), rng.randrange(10_000), rng.randrange(40) / 8))
    return f"{rng.choice(('+', '-', ''))}{number}{rng.choice('smhdMy')}"


def make_bake(rng: random.Random) -> Case:
    case: Case = {
        "name": rng.choice(("a", "session", "x-y", "__Host-id", "a*b", "0", pieces.word(rng)))
    }
    case["value"] = pieces.word(rng)
    case["path"] = rng.choice(("/", "/", "/a/b", "/cgi-bin", "/a b", "relative"))
    case["domain"] = pieces.some(
        rng, ("example.com", ".example.com", "WWW.Example.com", "a b"), 0.4
    )
    case["expires"] = pieces.some(rng, ("now", "+1d", "-1h", "+3M", "+1y"), 0.4)
    case["max_age"] = pieces.some(rng, ("0", "60", "86400"), 0.3)
    case["secure"] = rng.random() < 0.4
    case["httponly"] = rng.random() < 0.5
    case["samesite"] = pieces.some(rng, ("Lax", "Strict", "None"))
    return case


def cookie(value: str) -> Any:
    """A Set-Cookie value as its name, its value and its attributes."""
    first, *rest = value.split("; ")
    name, _, content = first.partition("=")
    found: dict[str, Any] = {}
    for attribute in rest:
        key, _, said = attribute.partition("=")
        found[key.lower()] = said
    if "expires" in found:
        found["expires"] = dates.parse_http_date(found["expires"])
    if "domain" in found:
        found["domain"] = found["domain"].lower()
    return [name, querystring.unquote(content.encode()).decode("utf-8", "replace"), found]


def our_bake(case: Case) -> Any:
    expires = dates.moment(case["expires"], NOW) if case["expires"] else None
    built = cookies.build(
        case["name"], case["value"], path=case["path"], domain=case["domain"] or None,
        expires=expires, max_age=int(case["max_age"]) if case["max_age"] else None,
        secure=case["secure"], httponly=case["httponly"], samesite=case["samesite"] or None,
    )  # fmt: skip
    return cookie(built)


def perl_bake(oracle: Oracle, case: Case) -> Any:
    words = ["-name", case["name"], "-value", case["value"], "-path", case["path"]]
    words += ["-domain", case["domain"]] if case["domain"] else []
    words += ["-expires", case["expires"]] if case["expires"] else []
    words += ["-max-age", f"+{case['max_age']}s"] if case["max_age"] else []
    words += ["-secure", "1"] if case["secure"] else []
    words += ["-httponly", "1"] if case["httponly"] else []
    words += ["-samesite", case["samesite"]] if case["samesite"] else []
    ((_, built),) = oracle.ask(["cookie", str(NOW)], words)
    return cookie(text(built) or "")


def make_returned(rng: random.Random) -> Case:
    return {"name": rng.choice(("a", "session", "x-y")), "value": pieces.word(rng)}


def perl_returned(oracle: Oracle, case: Case) -> Any:
    """What CGI.pm reads from a cookie that cgikit has built."""
    built = cookies.build(case["name"], case["value"]).partition(";")[0]
    lists = asked(oracle, {"environ": {"HTTP_COOKIE": built}}, "cookies")
    ((name, values),) = named(lists, b"cookie")
    return [name, values]


def our_returned(case: Case) -> Any:
    return [case["name"], [case["value"]]]


# --- times and escapes -------------------------------------------------------------------------


def make_expires(rng: random.Random) -> Case:
    return {"when": time(rng), "now": rng.randrange(1_000_000_000, 2_000_000_000)}


def our_expires(case: Case) -> Any:
    return dates.format_http_date(dates.moment(case["when"], case["now"]))


def perl_expires(oracle: Oracle, case: Case) -> Any:
    ((_, said),) = oracle.ask(["expires", case["when"], str(case["now"])])
    return text(said)


def make_text(rng: random.Random) -> Case:
    return {"text": "".join(pieces.word(rng) for _ in range(rng.randrange(1, 3)))}


def our_escape(case: Case) -> Any:
    return querystring.build([("", case["text"])]).removeprefix("=")


def perl_escape(oracle: Oracle, case: Case) -> Any:
    ((_, said),) = oracle.ask(["escape", case["text"]])
    return text(said)


def make_escaped(rng: random.Random) -> Case:
    return {"text": "".join(rng.choice(pieces.RAW) for _ in range(rng.randrange(6)))}


def our_unescape(case: Case) -> Any:
    return querystring.unquote(case["text"].encode())


def perl_unescape(oracle: Oracle, case: Case) -> Any:
    ((_, said),) = oracle.ask(["unescape", case["text"]])
    return said


def our_html(case: Case) -> Any:
    return html.escape(case["text"])


def perl_html(oracle: Oracle, case: Case) -> Any:
    ((_, said),) = oracle.ask(["escapeHTML", case["text"]])
    return text(said)


def our_unescaped(case: Case) -> Any:
    return case["text"]


def perl_unescaped(oracle: Oracle, case: Case) -> Any:
    """What CGI.pm reads from HTML that cgikit has escaped."""
    ((_, said),) = oracle.ask(["unescapeHTML", html.escape(case["text"])])
    return text(said)


# --- the request's variables -------------------------------------------------------------------

PATHS = (
    "", "/", "/extra", "/a/b/c", "/é", "/a b", "/a%20b", "/日本", "//double", "/a;b", "/a+b", "/~u/x",
    "/'quote'", "/(x)", "/a&b", "/<b>", "/../up", "/a?b", "/a#b",
)  # fmt: skip
HOSTS = (
    "example.com", "www.example.com:8080", "localhost", "127.0.0.1:80", "[::1]", "[::1]:8000",
    "EXAMPLE.com", "example.com:443", "example.com.", "b_d.example", "", "evil.example/path", "a b",
)  # fmt: skip


def make_environ(rng: random.Random) -> Case:
    script = rng.choice(("/cgi-bin/x.py", "/x.pl", "", "/é/x.py", "/cgi-bin/a b.py"))
    variables = {
        "REQUEST_METHOD": rng.choice(("GET", "GET", "HEAD", "DELETE")),
        "SCRIPT_NAME": script,
        "PATH_INFO": rng.choice(PATHS),
        "QUERY_STRING": pieces.query(rng) if rng.random() < 0.6 else "",
        "SERVER_NAME": rng.choice(("example.com", "127.0.0.1", "localhost")),
        "SERVER_PORT": rng.choice(("80", "443", "8080")),
        "SERVER_PROTOCOL": rng.choice(("HTTP/1.0", "HTTP/1.1", "HTTP/2.0")),
        "SERVER_SOFTWARE": "Apache/2.4",
        "REMOTE_ADDR": rng.choice(("192.0.2.7", "2001:db8::1")),
    }
    for name, choices in (
        ("HTTP_HOST", HOSTS),
        ("HTTPS", ("on", "ON", "off", "1", "")),
        ("REMOTE_HOST", ("client.example", "")),
        ("REMOTE_USER", ("ada", "é")),
        ("REMOTE_IDENT", ("ada",)),
        ("AUTH_TYPE", ("Basic", "Digest")),
        ("PATH_TRANSLATED", ("/var/www/extra",)),
        ("CONTENT_TYPE", ("text/plain",)),
        ("HTTP_REFERER", ("https://example.com/a?b=c", "")),
        ("HTTP_USER_AGENT", ("Mozilla/5.0 (X11; Linux)", "")),
        ("HTTP_ACCEPT_LANGUAGE", ("de, en;q=0.5",)),
        ("HTTP_COOKIE", ("a=b; c=d",)),
    ):
        if rng.random() < 0.5:
            variables[name] = rng.choice(choices)
    path = script + variables["PATH_INFO"]
    if rng.random() < 0.5 and "+" not in path:  # which CGI.pm decodes as a space there
        query = variables["QUERY_STRING"]
        variables["REQUEST_URI"] = quote(path) + ("?" + query if query else "")
    return {"environ": variables}


#: CGI.pm's method and what stands for it.
VARIABLES: dict[str, Callable[[MetaVariables], str | None]] = {
    "path_info": lambda request: request.path_info,
    "path_translated": lambda request: request.path_translated,
    "script_name": lambda request: request.script_name,
    "request_method": lambda request: request.method,
    "content_type": lambda request: request.content_type,
    "remote_host": lambda request: request.remote_host,
    "remote_addr": lambda request: request.remote_addr,
    "remote_ident": lambda request: request.remote_ident,
    "remote_user": lambda request: request.remote_user,
    "auth_type": lambda request: request.auth_type,
    "server_name": lambda request: request.server_name,
    "server_port": lambda request: request.server_port,
    "server_software": lambda request: request.server_software,
    "server_protocol": lambda request: request.server_protocol,
    "referer": lambda request: request.headers.get("Referer", ""),
    "user_agent": lambda request: request.headers.get("User-Agent", ""),
    "protocol": lambda request: "https" if request.is_secure else "http",
    "raw_cookie": lambda request: request.headers.get("Cookie", ""),
    "env_query_string": lambda request: request.query_string,
    "accept": lambda request: request.headers.get("Accept-Language", ""),
}


def our_environ(case: Case) -> Any:
    request = MetaVariables(case["environ"])
    return {name: read(request) for name, read in VARIABLES.items()}


def perl_environ(oracle: Oracle, case: Case) -> Any:
    """What is not set is "" (RFC 3875 section 4.1)."""
    lists = asked(oracle, case, "environ")
    return {text(items[0]): text(items[1]) or "" for items in lists}


def our_urls(case: Case) -> Any:
    request = Request(case["environ"], BytesIO())
    said = {
        "url": request.url(path_info=False, query=False),
        "absolute": request.url(base=False, path_info=False, query=False),
        "absolute_path": request.url(base=False, query=False),
        "path": request.url(query=False),
        "query": request.url(path_info=False),
        "full": request.url(),
        "self_url": request.url(),
    }
    return {name: taken_apart(value) for name, value in said.items()}


def perl_urls(oracle: Oracle, case: Case) -> Any:
    lists = asked(oracle, case, "urls")
    found = {text(items[0]): text(items[1]) for items in lists}
    return {name: taken_apart(value or "") for name, value in found.items() if name not in NO_URL}


#: Of CGI.pm's kinds of URL, those that `url` of cgikit has no argument for: parts of the others.
NO_URL = {"base", "relative"}


def taken_apart(url: str) -> list[Any]:
    """A URL as its scheme and host, its path decoded, and the fields of its query."""
    head, _, query = url.partition("?")
    base, slashes, rest = head.partition("://")
    host, slash, path = rest.partition("/") if slashes else ("", "", base)
    path = slash + path
    decoded = querystring.unquote(path.encode()).decode("utf-8", "replace")
    origin = f"{base}://{host.lower()}" if slashes else ""
    return [origin, decoded or "/", grouped(querystring.parse(query).pairs())]


# --- the header --------------------------------------------------------------------------------

STATUSES = ("200 OK", "404 Not Found", "500 Internal Server Error", "201 Created", "403 Forbidden")
MEDIA = ("text/html", "text/plain", "text/css", "text/html; charset=utf-8", "image/png", "")


def value(rng: random.Random) -> str:
    """A value of a field: mostly plain."""
    plain = ("en", "no-store", 'W/"abc"', "nosniff", "a, b", "max-age=60; x")
    return rng.choice(plain) if rng.random() < 0.7 else pieces.word(rng)


def make_header(rng: random.Random) -> Case:
    case: Case = {"type": rng.choice(MEDIA), "status": pieces.some(rng, STATUSES)}
    case["type"] = case["type"] or "text/html"
    case["charset"] = rng.choice(("utf-8", "utf-8", "iso-8859-1", ""))
    case["expires"] = pieces.some(rng, ("now", "+1d", "-1h"), 0.3)
    case["attachment"] = pieces.some(rng, FILES, 0.3)
    case["cookies"] = [
        [rng.choice(("a", "b")), pieces.escaped(rng, pieces.word(rng))]
        for _ in range(rng.choice((0, 0, 1, 2)))
    ]
    case["more"] = {}
    for name in ("Content-Language", "Cache-Control", "X-Thing"):
        if rng.random() < 0.25:
            case["more"][name] = value(rng)
    return case


def fields(head: bytes) -> Any:
    """A header as its status and its fields; a download as the name that the standard library reads."""
    found: dict[str, list[str]] = {}
    for line in head.decode("utf-8", "replace").replace("\r\n", "\n").rstrip("\n").split("\n"):
        name, colon, said = line.partition(":")
        assert colon, line
        found.setdefault(name.lower(), []).append(said.strip())
    status = int(found.pop("status", ["200"])[0].split()[0])
    if "content-disposition" in found:
        (said,) = found["content-disposition"]
        message = Message()
        message["Content-Disposition"] = said
        _, extended, name = said.partition("filename*=UTF-8''")  # browsers prefer it
        found["content-disposition"] = [
            message.get_content_disposition() or "",
            unquote(name) if extended else message.get_filename() or "",
        ]
    return [status, found]


def sent(response: Response, request: MetaVariables) -> Any:
    """The header that is sent for a response."""
    out = BytesIO()
    response.send(out, request)
    status, found = fields(out.getvalue().partition(b"\n\n")[0])
    found.pop("content-length", None)
    return [status, found]


def our_header(case: Case) -> Any:
    kind = case["type"]
    if case["charset"] and "charset" not in kind:
        kind += f"; charset={case['charset']}"
    response = Response("", int((case["status"] or "200").split()[0]), content_type=kind)
    for name, said in case["more"].items():
        response.headers[name] = said
    for name, said in case["cookies"]:
        response.headers.add("Set-Cookie", f"{name}={said}; path=/")
    if case["expires"]:
        response.expires = dates.moment(case["expires"], NOW)
    if case["attachment"]:
        response.attachment(case["attachment"])
    return sent(response, MetaVariables({"REQUEST_METHOD": "GET"}))


def perl_header(oracle: Oracle, case: Case) -> Any:
    words = ["-type", case["type"], "-charset", case["charset"]]
    words += ["-status", case["status"]] if case["status"] else []
    words += ["-expires", case["expires"]] if case["expires"] else []
    words += ["-attachment", case["attachment"]] if case["attachment"] else []
    for name, said in case["more"].items():
        words += ["-" + name, said]
    set_cookies = [f"{name}={said}; path=/" for name, said in case["cookies"]]
    ((_, head),) = oracle.ask(["header", str(NOW)], words, ["REQUEST_METHOD", "GET"], set_cookies)
    assert head is not None
    return fields(head)


LOCATIONS = (
    "https://example.com/", "http://example.com/a?b=c#d", "/thanks", "/a b", "/é", "/a?b=1&c=2",
    "//evil.example/", "javascript:alert(1)", "https://user@example.com/", "/\\evil.example",
    "/a\nb", "/x\r\nSet-Cookie: a=b", "ftp://example.com/", "/%0d%0a", "https://例え.jp/", "/a\tb",
    "mailto:a@example.com", "/'\"<>", "/a%20b", "/&amp;",
)  # fmt: skip


def make_redirect(rng: random.Random) -> Case:
    location = rng.choice(LOCATIONS)
    if rng.random() < 0.4:
        location = f"/{pieces.escaped(rng, pieces.word(rng))}?{pieces.query(rng)}"
    return {
        "location": location,
        "status": pieces.some(
            rng, ("301 Moved Permanently", "303 See Other", "307 Temporary"), 0.4
        ),
        "method": rng.choice(("GET", "HEAD", "POST")),
    }


def our_redirect(case: Case) -> Any:
    status = int(case["status"].split()[0]) if case["status"] else None
    environ = {"REQUEST_METHOD": case["method"], "SERVER_PROTOCOL": "HTTP/1.1"}
    status, found = sent(Response.redirect(case["location"], status), MetaVariables(environ))
    return [status, found["location"]]


def perl_redirect(oracle: Oracle, case: Case) -> Any:
    words = ["-uri", case["location"]] + (["-status", case["status"]] if case["status"] else [])
    environ = ["REQUEST_METHOD", case["method"], "SERVER_PROTOCOL", "HTTP/1.1"]
    ((_, head),) = oracle.ask(["redirect", str(NOW)], words, environ)
    assert head is not None
    status, found = fields(head)
    return [status, found["location"]]


SUBJECTS = (
    Subject("query", 150, make_query, our_query, perl_query),
    Subject("semicolons", 50, make_query, our_semicolons, perl_query),
    Subject("form", 120, make_form, our_form, perl_form),
    Subject("keywords", 40, make_keywords, our_keywords, perl_keywords),
    Subject("build", 40, make_query, our_built, perl_built),
    Subject("body", 30, make_body, our_body, perl_body),
    Subject("multipart", 120, make_multipart, our_multipart, perl_multipart),
    Subject("cookies", 80, make_cookies, our_cookies, perl_cookies),
    Subject("set-cookie", 60, make_bake, our_bake, perl_bake),
    Subject("cookies read back", 30, make_returned, our_returned, perl_returned),
    Subject("expires", 50, make_expires, our_expires, perl_expires),
    Subject("escape", 20, make_text, our_escape, perl_escape),
    Subject("unescape", 20, make_escaped, our_unescape, perl_unescape),
    Subject("html", 20, make_text, our_html, perl_html),
    Subject("html read back", 10, make_text, our_unescaped, perl_unescaped),
    Subject("environ", 50, make_environ, our_environ, perl_environ),
    Subject("url", 50, make_environ, our_urls, perl_urls),
    Subject("header", 40, make_header, our_header, perl_header),
    Subject("redirect", 20, make_redirect, our_redirect, perl_redirect),
)
