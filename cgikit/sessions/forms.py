"""The token of a visitor's forms: which tokens are accepted, and the answer to all others.

Internal to `session.py`. A form without the session's token was sent by another site, or is out of
date. A form with the token from just before a rotation was most likely sent twice: then the page is
reloaded.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .payload import Payload

# The browser reloads the page by GET two seconds later, when it has the new cookie (HTML, "shared
# declarative refresh steps"). If it has dropped the answer with that cookie, because it shows only the
# answer to the second click, it reloads until the old id has ended. Redirects would come too fast.
AGAIN = (("Refresh", "2"),)


def check(inside: "Payload", token: str | None, now: float, grace: float) -> None:
    """Raise `FormExpired` (403) unless `token` is the session's. Within `grace` seconds after a
    rotation the answer to the former token makes browsers load the page again.
    """
    if _is(inside.csrf, token):
        return
    from ..errors import FormExpired

    if 0 <= now - inside.rotated < grace and _is(inside.former, token):
        raise FormExpired(403, "This form was already sent. The page will reload by itself.", AGAIN)
    raise FormExpired(403, "This form has expired. Reload the page and send the form again.")


def forget(inside: "Payload", now: float) -> None:
    """Drop the token. It is remembered as the former one, which is not accepted any more."""
    if inside.csrf:
        inside.former, inside.rotated = inside.csrf, now
    inside.csrf = ""


def _is(expected: str, token: str | None) -> bool:
    from _operator import _compare_digest  # what hmac.compare_digest is; hmac loads OpenSSL

    given = (token or "").encode("utf-8", "surrogatepass")
    return bool(expected) and _compare_digest(expected.encode("utf-8", "surrogatepass"), given)
