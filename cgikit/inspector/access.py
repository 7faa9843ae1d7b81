"""Who may use the inspector: RFC 9110 section 7.2 (Host), RFC 6454 (Origin), Fetch Metadata. Pure.

Only a browser on this machine, by a name that means this machine. A page that can change something has
a token, and is given only to a browser that shows it: a script in another page can neither read the
token nor send a request without it.
"""

import hmac
import re
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?")


def denied(environ: Mapping[str, Any]) -> str:
    """Return why a request (PEP 3333) may not see anything (str), "" if it may.

    The names are fixed: a name that was allowed for the scripts may also be another site's.
    """
    if not _is_loopback(str(environ.get("REMOTE_ADDR", ""))):
        return "The inspector answers only to programs on this machine."
    match = _HOST.fullmatch(str(environ.get("HTTP_HOST", "")))
    name = match[1].lower().strip("[]") if match else ""
    if name != "localhost" and not _is_loopback(name):
        return "The inspector answers only at localhost, 127.0.0.1 and [::1]."
    if environ.get("HTTP_SEC_FETCH_SITE", "none") not in ("none", "same-origin"):
        return "The inspector does not answer to pages of other sites: type its address yourself."
    return ""


def shows_page(environ: Mapping[str, Any]) -> bool:
    """Whether a browser shows the answer as a page of its own (bool), as far as it says so.

    Not a script that fetches it, and not a frame: what a served page can read, whoever wrote into
    that page can read as well.
    """
    if "HTTP_SERVICE_WORKER_NAVIGATION_PRELOAD" in environ:  # a script of a served page reads this
        return False
    mode = str(environ.get("HTTP_SEC_FETCH_MODE", "navigate"))
    destination = str(environ.get("HTTP_SEC_FETCH_DEST", "document"))
    return mode == "navigate" and destination == "document"


def forged(environ: Mapping[str, Any], given: str, token: str) -> str:
    """Return why a request that changes something does not come from a page of the inspector (str), ""
    if it does. `given` is the token that came with it.
    """
    origin = environ.get("HTTP_ORIGIN")
    site = environ.get("HTTP_SEC_FETCH_SITE")
    own = f"{environ.get('wsgi.url_scheme', 'http')}://{environ.get('HTTP_HOST', '')}"
    if origin is None and site is None:
        return "The request has neither Origin nor Sec-Fetch-Site; use the buttons of the pages."
    if origin is not None and str(origin).lower() != own.lower():
        return "The request comes from a page of another site."
    if not hmac.compare_digest(given.encode("utf-8", "replace"), token.encode()):
        return "The page is of an earlier start of the server; reload it and try again."
    return ""


def _is_loopback(text: str) -> bool:
    try:
        found: IPv4Address | IPv6Address = ip_address(text)
    except ValueError:
        return False
    mapped: IPv4Address | None = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return found.is_loopback if mapped is None else mapped.is_loopback
