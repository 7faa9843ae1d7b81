"""Apache and nginx on loopback, one port for each way in, with configurations of their own.

Every contender is asked at the same path, so that requests differ in nothing but the port. Nothing
of the system's configuration is read; defaults of the servers are left alone unless a line below says
why not.
"""

import shutil
from pathlib import Path

from gateways.contenders import Contender
from gateways.processes import Running, clean_environ, give, server_user

MODULES = Path("/usr/lib/apache2/modules")
PREFIX = "/cgi-bin"

# 320 threads: a server that streams needs one for each of the 200 slow clients. As many spare ones:
# a process that is let go in the middle of a measurement closes its clients' connections.
APACHE = """\
{modules}
ServerRoot "{home}"
DefaultRuntimeDir "{home}"
PidFile "{home}/httpd.pid"
Mutex "file:{home}" default
ServerName 127.0.0.1
{identity}
ErrorLog "{home}/error.log"
LogLevel error
TypesConfig /dev/null
AddType text/html .html
<IfModule mod_cgid.c>
    ScriptSock "{home}/cgid.sock"
</IfModule>
<IfModule mod_wsgi.c>
    WSGIRestrictEmbedded On
    WSGISocketPrefix "{home}/wsgi"
    WSGIDaemonProcess warm processes=2 threads=8 python-home="{venv}"
</IfModule>
KeepAlive On
MaxKeepAliveRequests 0
StartServers 2
ServerLimit 5
ThreadsPerChild 64
MaxRequestWorkers 320
MinSpareThreads 32
MaxSpareThreads 320
SetEnv PATH "{venv}/bin:/usr/local/bin:/usr/bin:/bin"
DocumentRoot "{static}"
<Directory "/">
    Require all denied
    AllowOverride None
</Directory>
<Directory "{static}">
    Require all granted
</Directory>
<Directory "{scripts}">
    Options +ExecCGI
    Require all granted
</Directory>
"""

APACHE_SITE = """\
Listen 127.0.0.1:{port}
<VirtualHost 127.0.0.1:{port}>
    {inside}
</VirtualHost>
"""

APACHE_WAYS = {
    "static": 'Alias "/cgi-bin/" "{static}/"',
    "cgid": 'ScriptAlias "/cgi-bin/" "{scripts}/"\n    SetEnv REDIRECT_STATUS 200',
    # SetEnvIf: php-cgi takes the script's path from here, and does not know Apache's notation for it
    "fcgi": 'ProxyPass "/cgi-bin/" "unix:{socket}|fcgi://{name}/" {options}\n'
    '    ProxyFCGISetEnvIf "true" SCRIPT_FILENAME "{scripts}/{script}"',
    "scgi": 'ProxyPass "/cgi-bin/" "unix:{socket}|scgi://{name}/" {options}',
    "http": 'ProxyPass "/cgi-bin/" "unix:{socket}|http://{name}/cgi-bin/" {options}',
    "wsgi": 'WSGIScriptAlias "/cgi-bin/wsgi/get.py" "{scripts}/wsgi/get.py" process-group=warm'
    " application-group=%{{GLOBAL}}",
}
# retry=0: or one failure would be answered with 503 for a minute. iobuffersize: 8 KiB at a time else.
PROXY = "retry=0 timeout=75 iobuffersize=65536"
APACHE_MODULES = "mpm_event authz_core alias dir mime env unixd log_config cgid proxy proxy_http"
APACHE_MODULES += " proxy_fcgi proxy_scgi"

# worker_processes: two cores. client_max_body_size: uploads of 256 MiB. No access log, as above.
NGINX = """\
daemon off;
worker_processes 2;
pid "{home}/nginx.pid";
error_log "{home}/error.log" error;
{identity}
events {{ worker_connections 2048; }}
http {{
    access_log off;
    default_type application/octet-stream;
    types {{ text/html html; }}
    keepalive_requests 1000000000;
    client_max_body_size 0;
    client_body_temp_path "{home}/body";
    proxy_temp_path "{home}/proxy";
    fastcgi_temp_path "{home}/fastcgi";
    scgi_temp_path "{home}/scgi";
    uwsgi_temp_path "{home}/uwsgi";
{sites}
}}
"""
NGINX_SITE = """\
    {upstream}
    server {{
        listen 127.0.0.1:{port};
        location /cgi-bin/ {{
{inside}
        }}
    }}
"""
_META_VARIABLES = {
    "QUERY_STRING": "$query_string",
    "REQUEST_METHOD": "$request_method",
    "CONTENT_TYPE": "$content_type",
    "CONTENT_LENGTH": "$content_length",
    "SCRIPT_NAME": "$fastcgi_script_name",
    "REQUEST_URI": "$request_uri",
    "DOCUMENT_ROOT": "$document_root",
    "SERVER_PROTOCOL": "$server_protocol",
    "REQUEST_SCHEME": "$scheme",
    "GATEWAY_INTERFACE": "CGI/1.1",
    "SERVER_SOFTWARE": "nginx/$nginx_version",
    "REMOTE_ADDR": "$remote_addr",
    "REMOTE_PORT": "$remote_port",
    "SERVER_ADDR": "$server_addr",
    "SERVER_PORT": "$server_port",
    "SERVER_NAME": "$server_name",
    "REDIRECT_STATUS": "200",
}


def _nginx_inside(who: Contender, scripts: Path, static: Path) -> str:
    upstream = f"up{who.port}"
    if who.way == "static":
        lines = [f'alias "{static}/"']
    elif who.way == "http":
        lines = [f"proxy_pass http://{upstream}"]
    else:
        kind = "scgi" if who.way == "scgi" else "fastcgi"
        variables = dict(_META_VARIABLES)
        if kind == "scgi":
            # nginx itself sends the length, first, as the protocol wants it
            variables = {"SCGI": "1", **variables, "SCRIPT_NAME": "$uri"}
            del variables["CONTENT_LENGTH"]
        else:
            variables["SCRIPT_FILENAME"] = f"{scripts}/{who.script}"
        lines = [f'{kind}_param {name} "{value}"' for name, value in variables.items()]
        # As `cgikit config nginx` has it, for everybody: what comes is passed on, in large pieces.
        lines += [f"{kind}_buffering off", f"{kind}_buffer_size 64k", f"{kind}_buffers 8 32k"]
        lines += [f"{kind}_busy_buffers_size 128k", f"{kind}_pass {upstream}"]
        if who.kept:
            lines.append("fastcgi_keep_conn on")
    return "\n".join(f"            {line};" for line in lines)


def nginx(home: Path, who: list[Contender], scripts: Path, static: Path) -> Running:
    """Start nginx for those contenders whose front it is."""
    home.mkdir()
    give(home)
    mine = [one for one in who if one.front == "nginx"]
    sites = []
    for one in mine:
        upstream = ""
        if one.socket:
            kept = " keepalive 32;" if one.kept else ""
            upstream = f"upstream up{one.port} {{ server unix:{one.socket};{kept} }}"
        inside = _nginx_inside(one, scripts, static)
        sites.append(NGINX_SITE.format(upstream=upstream, port=one.port, inside=inside))
    user = server_user()
    text = NGINX.format(
        home=home,
        identity=f"user {user} {user};" if user else "",
        sites="".join(sites),
    )
    configuration = home / "nginx.conf"
    configuration.write_text(text)
    command = [which("nginx"), "-c", str(configuration), "-e", str(home / "error.log")]
    server = Running(command, home / "out.log", clean_environ(), as_server=False)
    for one in mine:
        server.wait_for(one.port)
    return server


def apache(home: Path, who: list[Contender], scripts: Path, static: Path, venv: Path) -> Running:
    """Start Apache httpd with mpm_event for those contenders whose front it is."""
    home.mkdir()
    give(home)
    mine = [one for one in who if one.front == "apache"]
    modules = APACHE_MODULES.split() + (["wsgi"] if any(c.way == "wsgi" for c in mine) else [])
    files = {name: MODULES / f"mod_{name}.so" for name in modules}
    user = server_user()
    text = APACHE.format(
        modules="\n".join(f'LoadModule {n}_module "{f}"' for n, f in files.items() if f.exists()),
        home=home,
        identity=f"User {user}\nGroup {user}" if user else "",
        static=static,
        scripts=scripts,
        venv=venv,
    )
    for one in mine:
        inside = APACHE_WAYS[one.way].format(
            static=static,
            scripts=scripts,
            script=one.script,
            socket=one.socket,
            name=f"up{one.port}",
            options=f"{PROXY} enablereuse=on" if one.kept else PROXY,
        )
        text += APACHE_SITE.format(port=one.port, inside=inside)
    configuration = home / "httpd.conf"
    configuration.write_text(text)
    command = [which("apache2"), "-f", str(configuration), "-DFOREGROUND"]
    server = Running(command, home / "out.log", clean_environ(), as_server=False)
    for one in mine:
        server.wait_for(one.port)
    return server


def which(program: str) -> str:
    """Return a program's path; the directories of servers are not on everybody's PATH."""
    return shutil.which(program, path=clean_environ()["PATH"]) or program
