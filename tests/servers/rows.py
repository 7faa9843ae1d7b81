"""The matrix: which servers the tests run under, and what each needs.

A row's configuration is what `cgikit config` prints for `config`; printed.py starts it.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One server. `needs` are programs; `logs` are paths below the state directory."""

    config: str
    needs: tuple[str, ...]
    logs: tuple[str, ...] = ()
    #: Root starts the server, which then becomes its user by itself; else the user starts it.
    by_root: bool = False
    #: The server gives scripts a PATH of its own, so that their first line must name the interpreter.
    named_interpreter: bool = False
    #: The directory of URLs that the scripts are in.
    prefix: str = "/cgi-bin/"


def apache(kind: str) -> Row:
    """A row of httpd."""
    return Row(f"apache-{kind}", ("apache2",), ("apache-error.log",), by_root=True)


def nginx(config: str, *needs: str) -> Row:
    """A row of nginx."""
    return Row(config, ("nginx", *needs), ("nginx-error.log",), by_root=True)


def lighttpd(kind: str) -> Row:
    """A row of lighttpd."""
    logs = ("run/lighttpd-error.log", "run/lighttpd-scripts.log")
    return Row(f"lighttpd-{kind}", ("lighttpd",), logs, by_root=True)


ROWS = {
    "apache-mod_cgid": apache("cgid"),
    "apache-mod_cgi": apache("cgi"),
    "apache-mod_proxy_fcgi": apache("fastcgi"),
    "apache-mod_proxy_scgi": apache("scgi"),
    "nginx-fcgiwrap": nginx("nginx-fcgiwrap", "fcgiwrap", "spawn-fcgi"),
    "nginx-fastcgi": nginx("nginx"),
    "nginx-scgi": nginx("nginx-scgi"),
    "lighttpd-cgi": lighttpd("cgi"),
    "lighttpd-fastcgi": lighttpd("fastcgi"),
    "lighttpd-scgi": lighttpd("scgi"),
    "caddy-fastcgi": Row("caddy", ("caddy",)),
    "busybox-httpd": Row("busybox", ("busybox",)),
    "mini-httpd": Row("mini-httpd", ("mini_httpd",), named_interpreter=True),
    "python-cgihttprequesthandler": Row("python", ()),
    "cgikit-serve-warm": Row("cgikit", (), prefix="/"),
}

#: A browser sends the same to all of them: one of each kind will do.
BROWSED = ("cgikit-serve", "apache-mod_cgid", "nginx-fastcgi")

#: What `cgikit config` prints for WSGI servers. The rows of these are in wsgi_servers.py, since what
#: runs there are handlers, and not scripts.
WSGI_ROWS = {
    "gunicorn": Row("gunicorn", ()),
    "waitress": Row("waitress", ()),
    "uwsgi": Row("uwsgi", ("uwsgi",)),
    "apache-mod_wsgi": apache("wsgi"),
}
