"""lighttpd: with its own mod_cgi, and in front of `cgikit fastcgi` and `cgikit scgi`."""

from .programs import command
from .quoting import lighttpd as quoted
from .quoting import shell
from .recipe import Recipe
from .site import Site

SERVER = """\
server.modules = ( {modules} )
server.bind = {host}
server.port = {port}
server.document-root = {documents}
server.pid-file = {pid}
server.errorlog = {log}
server.breakagelog = {script_log}
server.upload-dirs = ( {uploads} )
# KiB of a request's body
server.max-request-size = {body_size}
# Pass the query to the script unchanged: normalizing would turn "<" into "%3C"
server.http-parseopts = ( "url-normalize" => "disable" )
{identity}mimetype.assign = (
    ".html" => "text/html",
    ".css" => "text/css",
    ".txt" => "text/plain",
    ".svg" => "image/svg+xml"
)

{body}"""

STREAM = """\
# Flushed output reaches the client at once.
server.stream-response-body = 1
"""

CGI = """\
alias.url += ( {location} => {root} )
$HTTP["url"] =^ {location} {{
    # Every executable file there is a script, run by itself and not by an interpreter named here
    cgi.assign = ( "" => "" )
    cgi.execute-x-only = "enable"
    # Other files are never sent: they may be scripts that lack chmod +x, or their data
    static-file.exclude-extensions = ( "" )
    # "#!/usr/bin/env python3" searches this, the directory of the Python with cgikit first
    setenv.set-environment += ( "PATH" => {path} )
}}
"""

GATEWAY = """\
{kind}.server += (
    {location} => ((
        "socket" => {socket},
        # The scripts are not below document-root: lighttpd does not look for them
        "check-local" => "disable",{root}
        # After the scripts were restarted, try again at once
        "disable-time" => 0
    ))
)
"""

ASKS = """\
# No script runs without a valid password.
server.modules += ( "mod_auth", "mod_authn_file" )
auth.backend = "htpasswd"
auth.backend.htpasswd.userfile = {users}
auth.require += ( {location} =>
    ( "method" => "basic", "realm" => "Scripts", "require" => "valid-user" ) )
"""

SINGLE = """\
$HTTP["url"] =~ {pattern} {{
{body}}}
"""


def _whole(site: Site, modules: tuple[str, ...], body: str) -> str:
    identity = ""
    if site.user:
        identity = (
            f"server.username = {quoted(site.user)}\n"
            f"server.groupname = {quoted(site.group or site.user)}\n"
        )
    return SERVER.format(
        modules=", ".join(quoted(name) for name in modules),
        host=quoted(site.host),
        port=site.port,
        documents=quoted(site.documents),
        pid=quoted(site.file("lighttpd.pid")),
        log=quoted(site.own("lighttpd-error.log")),
        script_log=quoted(site.own("lighttpd-scripts.log")),
        uploads=quoted(site.run),
        identity=identity,
        body_size=site.body << 10,
        body=body,
    )


def _cgi(site: Site) -> str:
    text = CGI.format(
        location=quoted(site.location), root=quoted(f"{site.root}/"), path=quoted(site.path)
    )
    return text + STREAM + _password(site)


def _password(site: Site) -> str:
    if not site.users:
        return ""
    return ASKS.format(location=quoted(site.place), users=quoted(site.users))


def _gateway(site: Site, kind: str) -> str:
    # Otherwise lighttpd takes "/" as the script's name at the root of the site
    root = '\n        "fix-root-scriptname" => "enable",' if not site.prefix else ""
    text = GATEWAY.format(
        kind=kind, location=quoted(site.place), socket=quoted(site.socket), root=root
    )
    if site.single and site.prefix:  # not paths that only begin with the same letters
        pattern = quoted(f"^{site.prefix.replace('.', '[.]')}(/|$)")
        text = SINGLE.format(pattern=pattern, body=text)
    return text + STREAM + _password(site)


def _start(site: Site, file: str) -> str:
    return f"{shell(command('lighttpd'))} -D -f {shell(file)}"


def _check(site: Site, file: str) -> str:
    return f"{shell(command('lighttpd'))} -tt -f {shell(file)}"


def _place(modules: str) -> str:
    return f"into lighttpd.conf, with {modules} in server.modules; then: systemctl restart lighttpd"


CGI_ = Recipe(
    "lighttpd, mod_cgi: a new process for every request.",
    "lighttpd-cgi.conf",
    lambda site: _whole(site, ("mod_alias", "mod_setenv", "mod_cgi"), _cgi(site)),
    _start,
    _check,
    asks=True,
    snippet=_cgi,
    place=_place("mod_alias, mod_setenv and mod_cgi"),
    notes="The scripts' standard error is in run/lighttpd-scripts.log.",
)
FASTCGI = Recipe(
    "lighttpd in front of cgikit fastcgi: scripts run warm, a process for every request.",
    "lighttpd-fastcgi.conf",
    lambda site: _whole(site, ("mod_fastcgi",), _gateway(site, "fastcgi")),
    _start,
    _check,
    "fastcgi",
    asks=True,
    snippet=lambda site: _gateway(site, "fastcgi"),
    place=_place("mod_fastcgi"),
)
SCGI = Recipe(
    "lighttpd in front of cgikit scgi: scripts run warm, a process for every request.",
    "lighttpd-scgi.conf",
    lambda site: _whole(site, ("mod_scgi",), _gateway(site, "scgi")),
    _start,
    _check,
    "scgi",
    asks=True,
    snippet=lambda site: _gateway(site, "scgi"),
    place=_place("mod_scgi"),
)
