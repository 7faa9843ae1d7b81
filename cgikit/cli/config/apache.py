"""Apache httpd 2.4: with its own CGI modules, and in front of `cgikit fastcgi` and `cgikit scgi`."""

from .programs import absolute, command
from .quoting import apache as quoted
from .quoting import apache_socket, shell
from .recipe import Recipe
from .site import Site

#: In some builds a few of these are compiled in; then there is no file to load.
MODULES = (
    *("authz_core", "log_config", "unixd", "alias", "mime", "dir", "env"),
    *("auth_basic", "authn_core", "authn_file", "authz_user"),  # for --users
)

SERVER = """\
{modules}
ServerRoot {state}
DefaultRuntimeDir {state}
PidFile {pid}
Mutex {mutex} default
Listen {host}:{port}
ServerName {name}:{port}
{identity}
ErrorLog {log}
LogLevel warn
DocumentRoot {documents}
<IfModule mime_module>
    TypesConfig /dev/null
    AddType text/html html
    AddType text/css css
    AddType text/plain txt
    AddType image/svg+xml svg
</IfModule>
<Directory "/">
    Require all denied
    AllowOverride None
</Directory>
<Directory {documents}>
    Require all granted
</Directory>

{body}"""

CGI = """\
# Every executable file below this directory is a script.
ScriptAlias {location} {root}
<Directory {directory}>
    Options +ExecCGI
    AllowOverride None
    Require all granted
    LimitRequestBody {body}
</Directory>
{password}
# "#!/usr/bin/env python3" searches this, the directory of the Python with cgikit first.
SetEnv PATH {path}
"""

PROXY = """\
# retry=0: otherwise httpd answers 503 for a minute after the scripts were restarted.
# iobuffersize: otherwise httpd passes on 8 KiB at a time, at half the speed.
ProxyPass {location} {backend} retry=0 timeout={patience} iobuffersize=65536 flushpackets=on
<Location {location}>
    LimitRequestBody {body}{more}
</Location>
{password}"""

ASKS = """
# No script runs without a valid password.
<Location {location}>
    AuthType Basic
    AuthName "Scripts"
    AuthBasicProvider file
    AuthUserFile {users}
    Require valid-user
</Location>
"""

#: httpd takes the whole path as the script's name unless told where that ends.
SPLIT = """
    ProxyFCGISetEnvIf "reqenv('SCRIPT_NAME') =~ m#^{pattern}(/.*)?$#" PATH_INFO "$1"
    ProxyFCGISetEnvIf true SCRIPT_NAME {prefix}"""

#: httpd then reads the whole body before it passes it on with its length (mod_proxy_fcgi).
SENDCL = """
    # A body of unknown length (chunked) gets its CONTENT_LENGTH
    SetEnv proxy-sendcl 1"""


def whole(site: Site, names: tuple[str, ...], body: str) -> str:
    """Return a whole httpd.conf: with the modules in `names`, and `body` for what is served."""
    identity = (
        f"User {quoted(site.user)}\nGroup {quoted(site.group or site.user)}" if site.user else ""
    )
    return SERVER.format(
        modules="\n".join(_load(site, name) for name in (*names, *MODULES)),
        state=quoted(site.state),
        pid=quoted(site.file("apache.pid")),
        mutex=quoted(f"file:{site.state}"),
        host=site.host,
        name="localhost" if ":" in site.listen else site.listen,  # it accepts no IPv6 address
        port=site.port,
        identity=identity,
        log=quoted(site.file("apache-error.log")),
        documents=quoted(site.documents),
        body=body,
    )


def _load(site: Site, name: str) -> str:
    file = quoted(f"{site.modules}/mod_{name}.so")
    return f"<IfModule !{name}_module>\n    LoadModule {name}_module {file}\n</IfModule>"


def _cgi(site: Site) -> str:
    return CGI.format(
        location=quoted(site.location),
        root=quoted(f"{site.root}/"),
        directory=quoted(site.root),
        body=site.body << 20,
        path=quoted(site.path),
        password=_password(site),
    )


def _cgid(site: Site) -> str:
    return f"ScriptSock {quoted(site.file('apache-cgid.sock'))}\n\n{_cgi(site)}"


def _proxied(site: Site, scheme: str, more: str = "") -> str:
    # flushpackets: flushed output is sent at once
    # httpd compares whole segments: "/app" does not match "/apple"
    below = site.place.lstrip("/") if site.single else ""
    return PROXY.format(
        location=quoted(site.place),
        backend=apache_socket(site.socket, scheme, below),
        patience=site.patience,
        body=site.body << 20,
        more=more,
        password=_password(site),
    )


def _password(site: Site) -> str:
    if not site.users:
        return ""
    return ASKS.format(location=quoted(site.place), users=quoted(site.users))


def _split(site: Site) -> str:
    if not site.persistent:
        return ""
    pattern = site.prefix.replace(".", "[.]")  # the only special character in a prefix
    return SPLIT.format(pattern=pattern, prefix=quoted(site.prefix))


def _fastcgi(site: Site) -> str:
    # GENERIC: paths are not rewritten for PHP
    return f"{_proxied(site, 'fcgi', _split(site) + SENDCL)}ProxyFCGIBackendType GENERIC\n"


def _scgi(site: Site) -> str:
    return _proxied(site, "scgi")


def _program() -> str:
    """Return the word that starts httpd: apache2 on Debian, httpd elsewhere."""
    return command("httpd" if absolute("apache2") == "apache2" != absolute("httpd") else "apache2")


def start(site: Site, file: str) -> str:
    """Return the command line that starts httpd."""
    return f"{shell(_program())} -f {shell(file)} -DFOREGROUND"


def check(site: Site, file: str) -> str:
    """Return the command line that checks a configuration."""
    return f"{shell(_program())} -f {shell(file)} -t"


CGID = Recipe(
    "Apache httpd, mod_cgid: a new process for every request, started by a daemon of httpd.",
    "apache-cgid.conf",
    lambda site: whole(site, ("mpm_event", "cgid"), _cgid(site)),
    start,
    check,
    asks=True,
    snippet=_cgi,
    place="into a <VirtualHost>, after: a2enmod cgid && systemctl restart apache2",
    notes="""
        The scripts' standard error is in apache-error.log.
        """,
)
CGI_ = Recipe(
    "Apache httpd, mod_cgi: a new process for every request, started by httpd's workers.",
    "apache-cgi.conf",
    lambda site: whole(site, ("mpm_prefork", "cgi"), _cgi(site)),
    start,
    check,
    asks=True,
    snippet=_cgi,
    place="into a <VirtualHost>, after: a2enmod mpm_prefork cgi && systemctl restart apache2",
    notes="For httpd with mpm_prefork; with a threaded MPM use apache-cgid.",
)
FASTCGI = Recipe(
    "Apache httpd in front of cgikit fastcgi: scripts run warm, a process for every request.",
    "apache-fastcgi.conf",
    lambda site: whole(site, ("mpm_event", "proxy", "proxy_fcgi"), _fastcgi(site)),
    start,
    check,
    "fastcgi",
    asks=True,
    snippet=_fastcgi,
    place="into a <VirtualHost>, after: a2enmod proxy_fcgi && systemctl restart apache2",
)
SCGI = Recipe(
    "Apache httpd in front of cgikit scgi: scripts run warm, a process for every request.",
    "apache-scgi.conf",
    lambda site: whole(site, ("mpm_event", "proxy", "proxy_scgi"), _scgi(site)),
    start,
    check,
    "scgi",
    asks=True,
    snippet=_scgi,
    place="into a <VirtualHost>, after: a2enmod proxy_scgi && systemctl restart apache2",
    notes="mod_proxy_scgi refuses chunked bodies (411): prefer apache-fastcgi.",
)
