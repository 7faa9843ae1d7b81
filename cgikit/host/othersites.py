"""Requests that pages of other sites make: Fetch Metadata (W3C), RFC 6454 (Origin). Pure.

A server on a loopback address can be reached by each page that a browser on this machine shows. Such a
page cannot read the answer, but its request alone can change something: scripts for a local address
rarely ask who sends a form. A link that somebody clicks is no such request.
"""

from collections.abc import Collection

from .environ import ServerRequest
from .problem import Problem

ANY = "*"  # among the allowed origins: no request is refused


def check_site(request: ServerRequest, allowed: Collection[str]) -> None:
    """Refuse a request (`Problem` 403) that a page of another site makes, as far as browsers say so.

    `allowed` are the origins besides the server's own whose pages may send requests, as
    `https://shop.example:8443`; `null` is that of a page from a file. Programs that are no browsers
    send none of these fields, and are not refused.
    """
    fields = {name.lower(): value for name, value in request.headers}
    origin = fields.get("origin", "").lower()
    from_page = origin or _origin_of(fields.get("referer", ""))
    if ANY in allowed or from_page in allowed:
        return
    site = fields.get("sec-fetch-site", "")
    if site in ("same-origin", "same-site", "none") or (site and _is_clicked(request, fields)):
        return
    own = f"{request.scheme}://{fields.get('host', '')}".lower()
    if not site and origin in ("", own):  # no browser, or one of before 2023 that follows a link
        return
    raise Problem(
        403,
        f"A page of another site made this request{f': {from_page}' if from_page else ''}.",
        f"Start the server with --allow-origin {from_page or 'ORIGIN'} if that site is yours.",
        kind="other-site",
        rule="Fetch Metadata section 2.4",
    )


def _origin_of(url: str) -> str:
    """Return the origin of a Referer (RFC 9110 section 10.1.3), "" if there is none."""
    scheme, colon, rest = url.partition("://")
    return f"{scheme}://{rest.split('/')[0]}".lower() if colon else ""


def _is_clicked(request: ServerRequest, fields: dict[str, str]) -> bool:
    """Whether somebody follows a link to a page of its own, not in a frame."""
    return (
        request.method in ("GET", "HEAD")
        and fields.get("sec-fetch-mode") == "navigate"
        and fields.get("sec-fetch-dest") == "document"
        and fields.get("sec-fetch-user") == "?1"
    )
