"""Web servers that keep their connections to a persistent script: nginx, httpd, lighttpd, Caddy.

with behind("nginx", tmp_path, app) as port: ...
"""

import http.client
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from persisting import Application
from ports import free_port
from requirement import need
from serving import DEADLINE, until

NGINX = """
{user}
daemon off;
pid {root}/nginx.pid;
error_log {root}/error.log;
events {{}}
http {{
    access_log off;
    client_max_body_size 100m;
    client_body_temp_path {root}/body;
    proxy_temp_path {root}/proxy;
    fastcgi_temp_path {root}/fastcgi;
    uwsgi_temp_path {root}/uwsgi;
    scgi_temp_path {root}/scgi;
    upstream page {{
        server {host}:{port};
        keepalive 4;
    }}
    server {{
        listen 127.0.0.1:PORT;
        location /page {{
            include /etc/nginx/fastcgi_params;
            fastcgi_keep_conn on;
            fastcgi_pass page;
        }}
    }}
}}
"""
HTTPD = """
{load}
{user}
ServerName localhost
Listen 127.0.0.1:PORT
PidFile {root}/httpd.pid
ErrorLog {root}/error.log
DefaultRuntimeDir {root}
ProxyPass "/page" "fcgi://{host}:{port}/page" enablereuse=on
"""
LIGHTTPD = """
server.port = PORT
server.bind = "127.0.0.1"
server.document-root = "{root}"
server.errorlog = "{root}/error.log"
server.upload-dirs = ( "{root}" )
server.modules = ( "mod_fastcgi" )
fastcgi.server = ( "/page" => (( "host" => "{host}", "port" => {port}, "check-local" => "disable" )) )
"""
CADDY = """
{{
    admin off
    auto_https off
}}
http://127.0.0.1:PORT {{
    bind 127.0.0.1
    reverse_proxy {host}:{port} {{
        transport fastcgi
    }}
}}
"""

#: By name: the program, its options before the configuration, and that.
FRONTS = {
    "nginx": ("nginx", "-c", NGINX),
    "httpd": ("apache2", "-DFOREGROUND -f", HTTPD),
    "lighttpd": ("lighttpd", "-D -f", LIGHTTPD),
    "caddy": ("caddy", "run --adapter caddyfile --config", CADDY),
}


@contextmanager
def behind(name: str, root: Path, app: Application) -> Iterator[int]:
    """Run a web server before an application on TCP; gives the server's port."""
    program, option, text = FRONTS[name]
    host, port = app.listener.getsockname()
    modules = "/usr/lib/apache2/modules"
    load = ("mpm_event", "authz_core", "proxy", "proxy_fcgi")
    user = ""
    if os.geteuid() == 0:  # or its workers could not read here
        user = "user root;" if name == "nginx" else "User www-data\nGroup www-data"
    text = text.format(
        root=root,
        user=user,
        host=host,
        port=port,
        load="\n".join(f"LoadModule {each}_module {modules}/mod_{each}.so" for each in load),
    )
    with server(need(program), option, root / f"{name}.conf", text) as (_, front):
        yield front


@contextmanager
def server(
    program: str, option: str, configuration: Path, text: str
) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    """Run a web server, with `PORT` in its configuration replaced, until it is no longer needed.

    Gives the process and its port. Somebody else may take a free port before the server does.
    """
    for _ in range(3):
        port = free_port()
        configuration.write_text(text.replace("PORT", str(port)))
        command = [program, *option.split(), str(configuration)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            assert until(lambda port=port, it=process: it.poll() is not None or reaches(port))
            if process.poll() is None:
                yield process, port
                return
        finally:
            process.terminate()
            process.wait(DEADLINE)
    raise AssertionError(f"{program} does not start with:\n{configuration.read_text()}")


def reaches(port: int) -> bool:
    """Whether somebody listens on a port."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    try:
        connection.connect()
    except OSError:
        return False
    finally:
        connection.close()
    return True
