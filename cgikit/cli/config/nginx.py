"""nginx: in front of `cgikit fastcgi`, `cgikit scgi`, and fcgiwrap."""

from .programs import absolute, command
from .quoting import nginx as quoted
from .quoting import nginx_socket, shell
from .recipe import Recipe
from .site import Site

SERVER = """\
{identity}worker_processes auto;
pid {pid};
error_log {log} warn;
events {{
    worker_connections 1024;
}}
http {{
    access_log off;
    client_body_temp_path {body};
    fastcgi_temp_path {fastcgi};
    scgi_temp_path {scgi};
    proxy_temp_path {proxy};
    uwsgi_temp_path {uwsgi};
    types {{
        text/html html;
        text/css css;
        text/plain txt;
        image/svg+xml svg;
    }}
    default_type application/octet-stream;
    server {{
        listen {host}:{port};
        root {documents};

{site}    }}
}}
"""

#: What nginx stores in temporary files; the built-in directories may belong to another user.
TEMPORARY = ("body", "fastcgi", "scgi", "proxy", "uwsgi")

LOCATION = """\
# ^~: no "location ~ ..." of this site can take over a script, or send its source.
location {place} {{
    # A request in absolute form has its host in the target; its Host field may be forged.
    set $cgikit_port "";
    if ($http_host ~ "(:[0-9]+)$") {{
        set $cgikit_port $1;
    }}
    {kind}_pass {socket};
{parameters}
    # Without this, nginx refuses more than 1 MiB (413).
    client_max_body_size {body}m;
    # Flushed output reaches the client at once. Slow clients do not delay a script: what they have
    # not received yet is kept on disk by cgikit. With "on", nginx keeps it and flushes nothing.
    {kind}_buffering off;
    # Room for the script's header; otherwise nginx answers 502: "too big header".
    {kind}_buffer_size 64k;
    {kind}_buffers 8 32k;
    {kind}_busy_buffers_size 128k;
    {limit}
    {kind}_read_timeout {patience}s;
    {kind}_send_timeout {patience}s;
{password}}}
"""

ASKS = """\
    # No script runs without a valid password. Only here is $remote_user a name that was checked.
    auth_basic "Scripts";
    auth_basic_user_file {users};
"""

#: nginx takes $remote_user from the Authorization field even if no password was asked for or checked.
#: Then the script gets no name, whatever other lines of the site send.
STRANGER = (("REMOTE_USER", '""'),)
KNOWN = (("AUTH_TYPE", "Basic"), ("REMOTE_USER", "$remote_user"))

PARAMETERS = (
    ("GATEWAY_INTERFACE", "CGI/1.1"),
    ("REQUEST_METHOD", "$request_method"),
    ("REQUEST_URI", "$request_uri"),
    ("QUERY_STRING", "$query_string"),
    ("CONTENT_TYPE", "$content_type"),
    ("SERVER_PROTOCOL", "$server_protocol"),
    ("SERVER_SOFTWARE", "nginx/$nginx_version"),
    ("SERVER_NAME", "$host"),
    ("SERVER_ADDR", "$server_addr"),
    ("SERVER_PORT", "$server_port"),
    ("REMOTE_ADDR", "$remote_addr"),
    ("REMOTE_PORT", "$remote_port"),
    ("REQUEST_SCHEME", "$scheme"),
    ("HTTPS", "$https if_not_empty"),
    ("HTTP_PROXY", '""'),
    ("HTTP_HOST", "$host$cgikit_port"),
)

#: For SCGI, nginx puts it first by itself; a second one would be an error.
LENGTH = ("CONTENT_LENGTH", "$content_length")


def _whole(site: Site, snippet: str) -> str:
    return SERVER.format(
        identity=f"user {quoted(site.user)} {quoted(site.group or site.user)};\n"
        if site.user
        else "",
        pid=quoted(site.file("nginx.pid")),
        log=quoted(site.file("nginx-error.log")),
        **{kind: quoted(site.file(f"nginx-{kind}")) for kind in TEMPORARY},
        host=site.host,
        port=site.port,
        documents=quoted(site.documents),
        site="".join(f"        {line}\n" if line else "\n" for line in snippet.splitlines()),
    )


def _location(site: Site, kind: str, *more: tuple[str, str]) -> str:
    if site.single and site.prefix:  # not paths that only begin with the same letters
        return "\n".join(
            _at(site, place, kind, *more) for place in (f"= {site.prefix}", _below(site))
        )
    return _at(site, _below(site), kind, *more)


def _below(site: Site) -> str:
    return f"^~ {site.location}"


def _at(site: Site, place: str, kind: str, *more: tuple[str, str]) -> str:
    rows = (*PARAMETERS, *_path(site), *(KNOWN if site.users else STRANGER), *more)
    split = ""
    if site.persistent and site.prefix:
        split = f"    fastcgi_split_path_info (?s)^({_pattern(site.prefix)})(.*)$;\n"
    return LOCATION.format(
        place=place,
        kind=kind,
        body=site.body,
        limit=f"# The scripts' side has a time limit of {site.timeout} s, and says 504 itself."
        if not site.persistent
        else "# Between two pieces of the answer, and of the body.",
        patience=site.patience,
        socket=nginx_socket(site.socket),
        password=ASKS.format(users=quoted(site.users)) if site.users else "",
        parameters=split + "".join(f"    {kind}_param {name} {value};\n" for name, value in rows),
    )


def _path(site: Site) -> tuple[tuple[str, str], ...]:
    """Return the parameters that split the path; `cgikit` splits it by itself."""
    if not site.persistent:
        return (("SCRIPT_NAME", "$uri"),)
    rest = "$fastcgi_path_info" if site.prefix else "$uri"
    return (("SCRIPT_NAME", f'"{site.prefix}"'), ("PATH_INFO", rest))


def _pattern(prefix: str) -> str:
    """Return the regular expression for a prefix, whose only special character is the dot."""
    return prefix.replace(".", "[.]")


def _fastcgi(site: Site) -> str:
    return _location(site, "fastcgi", LENGTH)


def _scgi(site: Site) -> str:
    # The SCGI specification requires a variable SCGI with the value "1"
    return _location(site, "scgi", ("SCGI", "1"))


def _fcgiwrap(site: Site) -> str:
    # fcgiwrap looks for DOCUMENT_ROOT + SCRIPT_NAME, and splits off PATH_INFO after the script
    return _location(
        site,
        "fastcgi",
        LENGTH,
        ("DOCUMENT_ROOT", quoted(site.documents)),
        ("PATH", quoted(site.path)),
        ("NO_BUFFERING", "1"),  # otherwise fcgiwrap collects what a stream sends
    )


def _spawn_fcgiwrap(site: Site) -> str:
    words = (
        command("spawn-fcgi"),
        "-n",
        "-M",
        "0600",
        "-s",
        site.socket,
        "--",
        absolute("fcgiwrap"),
        "-f",
        "-c",
        "4",
    )
    return site.as_user(*words)


def _start(site: Site, file: str) -> str:
    return f"{shell(command('nginx'))} -c {shell(file)} -e stderr -g 'daemon off;'"


def _check(site: Site, file: str) -> str:
    return f"{shell(command('nginx'))} -t -c {shell(file)} -e stderr"


PLACE = "into a server { } of the site, then: nginx -t && systemctl reload nginx"

FASTCGI = Recipe(
    "nginx in front of cgikit fastcgi: scripts run warm, a process for every request.",
    "nginx.conf",
    lambda site: _whole(site, _fastcgi(site)),
    _start,
    _check,
    "fastcgi",
    asks=True,
    snippet=_fastcgi,
    place=PLACE,
)
SCGI = Recipe(
    "nginx in front of cgikit scgi: scripts run warm, a process for every request.",
    "nginx-scgi.conf",
    lambda site: _whole(site, _scgi(site)),
    _start,
    _check,
    "scgi",
    asks=True,
    snippet=_scgi,
    place=PLACE,
)
FCGIWRAP = Recipe(
    "nginx with fcgiwrap, which starts a new process for every request.",
    "nginx-fcgiwrap.conf",
    lambda site: _whole(site, _fcgiwrap(site)),
    _start,
    _check,
    asks=True,
    scripts=_spawn_fcgiwrap,
    linked=True,
    snippet=_fcgiwrap,
    place=PLACE,
    notes="""
        spawn-fcgi makes the socket for its own user only (-M 0600): nginx's workers must run as the
        same user, otherwise nginx answers 502.

        fcgiwrap runs four scripts at once (-c 4); the fifth waits. It has no time limit of its own.
        """,
)
