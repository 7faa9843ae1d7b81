"""The token of a visitor's forms: which one passes, and what the answer is to one that does not.

Internal to `session.py`. A form without the session's token was sent by another site, or is out of
date. One with the token from right before a rotation was most likely sent twice: its sender is helped.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .payload import Payload

# A browser loads the page again by GET, two seconds later, when it has the new cookie (HTML, "shared
# declarative refresh steps"). Where it dropped the answer that had it, since it shows only the one to
# the second click, it does so until the old id is over. A redirect would come too early, too often.
AGAIN = (("Refresh", "2"),)


def check(inside: "Payload", token: str | None, now: float, grace: float) -> None:
    """Raise `FormExpired` (403) unless `token` is the session's. Within `grace` seconds after a
    rotation the answer to the former token makes browsers load the page again.
    """
    if _is(inside.csrf, token):
        return
    from ..errors import FormExpired

    if 0 <= now - inside.rotated < grace and _is(inside.former, token):
        raise FormExpired(403, "This form was sent already. The page loads again by itself.", AGAIN)
    raise FormExpired(403, "This form has expired. Load the page again and send it once more.")


def forget(inside: "Payload", now: float) -> None:
    """Have no token from now on; the former one is remembered, but passes no check."""
    if inside.csrf:
        inside.former, inside.rotated = inside.csrf, now
    inside.csrf = ""


def _is(expected: str, token: str | None) -> bool:
    from _operator import _compare_digest  # what hmac.compare_digest is; hmac loads OpenSSL

    given = (token or "").encode("utf-8", "surrogatepass")
    return bool(expected) and _compare_digest(expected.encode("utf-8", "surrogatepass"), given)
