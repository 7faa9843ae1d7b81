"""A real nginx in front of a gateway, with the parameters that its package brings.

with stock_nginx(directory, server) as port:
    …

Where the configurations of `cgikit config` are meant, see `servers/printed.py`.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gatewayserving import Gateway
from requirement import need
from serving import DEADLINE, until

from cgikit.gateway.listener import listen

CONFIGURATION = """\
{user}
daemon off;
pid {place}/nginx.pid;
error_log {place}/error.log;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {place}/body;
    fastcgi_temp_path {place}/fastcgi;
    scgi_temp_path {place}/scgi;
    proxy_temp_path {place}/proxy;
    uwsgi_temp_path {place}/uwsgi;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            include /etc/nginx/{protocol}_params;
            {more}
            {protocol}_pass unix:{socket};
        }}
    }}
}}
"""


@contextmanager
def stock_nginx(place: Path, server: Gateway, more: str = "") -> Iterator[int]:
    """Run nginx until it is no longer needed; gives its port. `more` are lines of its `location`."""
    program = need("nginx")
    file = place / "nginx.conf"
    # As root nginx would give its workers to somebody who may not connect to the socket
    user = "user root;" if os.geteuid() == 0 else ""
    for _ in range(3):  # somebody else may take a free port before nginx does
        with listen("127.0.0.1:0") as listener:
            port = int(listener.getsockname()[1])
        values = {"user": user, "place": place, "port": port, "more": more}
        values |= {"protocol": server.protocol, "socket": server.address}
        file.write_text(CONFIGURATION.format(**values))
        process = subprocess.Popen(
            [program, "-c", str(file), "-e", str(place / "error.log")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            assert until(lambda it=process: it.poll() is not None or (place / "nginx.pid").exists())
            if process.poll() is None:
                yield port
                return
        finally:
            process.terminate()
            process.wait(DEADLINE)
    raise AssertionError((place / "error.log").read_text())
