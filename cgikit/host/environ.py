"""The environment of a script: RFC 3875 section 4.1. Pure.

A front end describes a request as a `ServerRequest`; this module makes the meta-variables from it and
from the script's place, and decides which variables of the server's own environment a script gets.
`cgikit.environ` is the script's side.
"""

import os
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from .path import Script, split_target

# Only letters, digits and hyphens: X_Foo would arrive under the name of X-Foo (S3)
_PLAIN_NAME = re.compile(r"[A-Za-z0-9-]+")
# R37: credentials stay with the server, the two meta-variables have their own names, codings are
# already removed, and HTTP_PROXY would redirect every HTTP client that the script starts (S2)
_NOT_PASSED = frozenset(
    {
        "authorization",
        "content-length",
        "content-type",
        "proxy",
        "proxy-authorization",
        "transfer-encoding",
    }
)
_FOLD = re.compile(r"[ \t]*\r?\n[ \t]*")
_INHERITED = re.compile(r"PATH|LANG|LANGUAGE|LC_[A-Z]+|TZ")


@dataclass(frozen=True)
class ServerRequest:
    """One request as a server sees it. All text is native (`native.py`).

    `path` and `query` are still percent-encoded; `headers` are (name, value) pairs in the order of
    arrival; `content_length` is the number of bytes after transfer codings were removed, or None if
    there is no body; `auth_type` and `remote_user` are set only by a server that has authenticated the
    visitor.
    """

    method: str
    path: str
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    content_length: int | None = None
    content_type: str = ""
    protocol: str = "HTTP/1.1"
    scheme: str = "http"
    server_name: str = "localhost"
    server_port: str = "80"
    remote_addr: str = "127.0.0.1"
    remote_port: str = ""
    auth_type: str = ""
    remote_user: str = ""

    @property
    def target(self) -> str:
        """The path with the query (str), still encoded."""
        return f"{self.path}?{self.query}" if self.query else self.path

    def redirected(self, target: str) -> "ServerRequest":
        """Return the request to make after a local redirect: a GET (or HEAD) without a body.

        `Problem` 400 when the target is not a path. RFC 3875 section 6.2.2.
        """
        path, query = split_target(target)
        return replace(
            self,
            method="HEAD" if self.method == "HEAD" else "GET",
            path=path,
            query=query,
            content_length=None,
            content_type="",
        )


def meta_variables(
    request: ServerRequest,
    script: Script,
    root: str,
    software: str,
    passing: Collection[str] = (),
) -> dict[str, str]:
    """Return the meta-variables of a request for a script (RFC 3875 section 4.1).

    `root` is the directory that PATH_TRANSLATED refers to, `software` names the server; `passing` are
    variables to include although scripts do not get them otherwise. Beyond the
    RFC there are the names that every server sets: REQUEST_URI, REQUEST_SCHEME, SCRIPT_FILENAME,
    DOCUMENT_ROOT, REMOTE_PORT, and HTTPS (only when it is on).
    """
    variables = http_variables(request.headers, passing)
    variables |= {
        "DOCUMENT_ROOT": root,
        "GATEWAY_INTERFACE": "CGI/1.1",
        "PATH_INFO": script.path_info,
        "QUERY_STRING": request.query,
        "REMOTE_ADDR": request.remote_addr,
        "REMOTE_HOST": request.remote_addr,
        "REQUEST_METHOD": request.method,
        "REQUEST_SCHEME": request.scheme,
        "REQUEST_URI": request.target,
        "SCRIPT_FILENAME": script.file,
        "SCRIPT_NAME": script.script_name,
        "SERVER_NAME": request.server_name,
        "SERVER_PORT": request.server_port,
        "SERVER_PROTOCOL": request.protocol,
        "SERVER_SOFTWARE": software,
    }
    if script.path_info:
        variables["PATH_TRANSLATED"] = root + script.path_info
    if request.content_length is not None:
        variables["CONTENT_LENGTH"] = str(request.content_length)
    optional = {
        "AUTH_TYPE": request.auth_type,
        "CONTENT_TYPE": request.content_type,
        "HTTPS": "on" if request.scheme == "https" else "",
        "REMOTE_PORT": request.remote_port,
        "REMOTE_USER": request.remote_user,
    }
    variables |= {name: value for name, value in optional.items() if value}
    return variables


def http_variables(
    headers: Iterable[tuple[str, str]], passing: Collection[str] = ()
) -> dict[str, str]:
    """Return the HTTP_* variables of the header fields (RFC 3875 section 4.1.18).

    Repeated fields are joined, Cookie by "; " and all others by ", ". Left out are fields that a script
    must not get (unless they are in `passing`), names with characters other than letters, digits and
    hyphens, and values with a NUL, which no environment can hold.
    """
    variables: dict[str, str] = {}
    for name, value in headers:
        key = "HTTP_" + name.upper().replace("-", "_")
        kept = name.lower() in _NOT_PASSED and key not in passing
        if not _PLAIN_NAME.fullmatch(name) or kept or "\0" in value:
            continue
        text = _FOLD.sub(" ", value)
        if key in variables:
            text = variables[key] + ("; " if key == "HTTP_COOKIE" else ", ") + text
        variables[key] = text
    return variables


def with_old_modules(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a script that finds cgikit's `cgi` and `cgitb` where its Python has
    none: their directory comes first on PYTHONPATH. What is in it decides which module is used.
    """
    directory = os.path.join(os.path.dirname(os.path.dirname(__file__)), "compat", "onpath")
    places = [os.path.abspath(directory), *filter(None, [environment.get("PYTHONPATH")])]
    return {**environment, "PYTHONPATH": os.pathsep.join(places)}


def inherited(
    environment: Mapping[str, str], names: Iterable[str] = (), *, path_first: str = ""
) -> dict[str, str]:
    """Return the variables of the server's own environment that a script gets: an allow-list (S24).

    PATH, LANG, LANGUAGE, LC_*, TZ, and the `names` given; nothing else, to keep the server's secrets.
    `path_first` is a directory to put in front of PATH.
    """
    named = frozenset(names)
    kept = {k: v for k, v in environment.items() if k in named or _INHERITED.fullmatch(k)}
    path = kept.get("PATH", os.defpath)
    kept["PATH"] = f"{path_first}{os.pathsep}{path}" if path_first else path
    return kept
