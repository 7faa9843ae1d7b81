"""The meta-variables of a script, made of those that a web server sends with a request. Pure.

A FastCGI or SCGI peer sends variables that are nearly those of RFC 3875 section 4.1. This module
replaces what the peer cannot know and drops what no script may get (`allowlist.py` decides which). For
a request by HTTP, `host/environ.py` makes all of them.
"""

from ..host.argv import query_arguments
from ..host.execlimits import check
from ..host.logtext import one_line
from ..host.path import Script, segments, split_target
from ..host.problem import Problem
from .allowlist import PASSED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from .allowlist import Allowlist
    from .settings import Settings

#: R33: these are always set. A peer that leaves one out is not configured to send it.
_DEFAULTS = (
    ("GATEWAY_INTERFACE", "CGI/1.1"),
    ("QUERY_STRING", ""),
    ("REMOTE_ADDR", ""),
    ("SERVER_NAME", "localhost"),
    ("SERVER_PORT", "80"),
    ("SERVER_PROTOCOL", "HTTP/1.0"),
    ("SERVER_SOFTWARE", "unknown"),
)


def path_of(variables: "Mapping[str, str]") -> tuple[str, str]:
    """Return the two parts of the request's path, decoded, as the peer has split it.

    A peer that does not know which script there is sends the whole path as one of them. Without both,
    the path of REQUEST_URI is taken.
    """
    name, info = variables.get("SCRIPT_NAME", ""), variables.get("PATH_INFO", "")
    if not name and not info and "REQUEST_URI" in variables:
        name = _decoded(split_target(variables["REQUEST_URI"])[0])
    return name, info


def name_of(variables: "Mapping[str, str]") -> str:
    """Return what the log calls a request without a script: its path, as far as that can be read."""
    try:
        return one_line(path_of(variables)[0])
    except Problem:
        return one_line(variables.get("REQUEST_URI", ""))


def single_path(path: str, rest: str, prefix: str | None) -> tuple[str, str]:
    """Return SCRIPT_NAME and PATH_INFO if one script answers everything: the path is cut at the prefix
    ("": the root of the URL); without one (None), or outside it, the peer's parts are taken.
    """
    whole = path + rest
    if prefix is not None and (whole == prefix or whole.startswith(prefix + "/")):
        return prefix, whole[len(prefix) :]
    return path, rest


def script_environ(
    variables: "Mapping[str, str]", script: Script, allowed: "Allowlist", settings: "Settings"
) -> tuple[dict[str, str], list[str]]:
    """Return a script's meta-variables and the arguments of its command line.

    `Problem` 400 if there is no REQUEST_METHOD, 414 or 431 for more than a program can be given.
    """
    passed = {
        name: value
        for name, value in variables.items()
        if allowed[name] and (value or allowed[name] == PASSED)
    }
    method = passed.get("REQUEST_METHOD")
    if not method:
        raise Problem(400, "The web server sent no REQUEST_METHOD.", "Include its usual variables.")
    if method in ("GET", "HEAD") and passed.get("CONTENT_LENGTH") == "0":
        # R31: some peers, and SCGI always, say 0 if there is no body
        del passed["CONTENT_LENGTH"]
    for name, value in _DEFAULTS:
        if not passed.get(name):
            passed[name] = value
    if "REMOTE_HOST" not in passed:
        passed["REMOTE_HOST"] = passed["REMOTE_ADDR"]  # R36
    passed["SCRIPT_FILENAME"] = script.file
    passed["SCRIPT_NAME"] = script.script_name
    passed["PATH_INFO"] = script.path_info
    if script.path_info:
        passed["PATH_TRANSLATED"] = passed.get("DOCUMENT_ROOT", settings.root) + script.path_info
    query = passed["QUERY_STRING"]
    arguments = query_arguments(method, query) if query and "=" not in query else []
    check(passed, arguments, allowed.base)
    return passed, arguments


def redirected(variables: "Mapping[str, str]", target: str) -> dict[str, str]:
    """Return the variables of the request to make after a local redirect (RFC 3875 section 6.2.2):
    a GET (or HEAD) without a body. `Problem` 400 if the target is not a valid path.
    """
    path, query = split_target(target)
    kept = {name: value for name, value in variables.items() if not name.startswith("CONTENT_")}
    kept |= {
        "REQUEST_METHOD": "HEAD" if variables.get("REQUEST_METHOD") == "HEAD" else "GET",
        "SCRIPT_NAME": _decoded(path),
        "PATH_INFO": "",
        "QUERY_STRING": query,
        "REQUEST_URI": target,
        "REDIRECT_STATUS": "200",
    }
    return kept


def _decoded(path: str) -> str:
    names, slash = segments(path)
    return "".join("/" + name for name in names) + ("/" if slash or not names else "")
