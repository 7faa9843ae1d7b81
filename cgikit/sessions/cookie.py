"""The session's cookie (RFC 6265bis): its name, and which of the received cookies are tried.

Cookies do not depend on the port or, at Path=/, on the path, so all applications of a host share the
names. The default name is derived from the place where a store keeps its sessions: it is the same for
all scripts that share them, and different from all others. The former name, `session`, is still read.
"""

from .store import FORMER, is_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..environ import MetaVariables
    from ..response import Response
    from .store import Store

MAX_TRIED = 5  # ids of one request that are looked up: each is one access to the store


def is_secure(store: "Store", request: "MetaVariables") -> bool:
    """Return whether the cookie is for HTTPS only: by the store's setting, or by the request."""
    return request.is_secure if store.secure is None else store.secure


def ids(store: "Store", request: "MetaVariables") -> list[tuple[str, str]]:
    """Return the ids in a request's cookies, each with the name of its cookie; at most `MAX_TRIED`.

    A browser may send several cookies of the same name, with different paths. All of them must be
    tried, so a cookie that somebody else has set does not lock the visitor out.
    """
    header = request.environ.get("HTTP_COOKIE")
    if not header:
        return []
    cookies = getattr(request, "cookies", None)
    if cookies is None:
        from ..cookies import parse

        cookies = parse(header)
    proper = [(name, value) for name, value in cookies.pairs() if is_id(value)]
    if not proper:
        return []  # before the name is asked for, which may take system calls
    found: dict[str, str] = {}
    for wanted in store.cookie_names(is_secure(store, request)):
        for name, value in proper:
            if name == wanted:
                found.setdefault(value, name)
    return list(found.items())[:MAX_TRIED]


def is_former(store: "Store", name: str) -> bool:
    """Return whether a cookie has the former name, and the store now has a name of its own."""
    return store.cookie is None and name.endswith(FORMER) and bool(store.place())


def send(
    response: "Response",
    store: "Store",
    request: "MetaVariables",
    session_id: str,
    max_age: int | None = None,
) -> None:
    """Set the cookie in a response, for `max_age` seconds; delete it if the id is empty."""
    secure = is_secure(store, request)
    name, path = store.cookie_name(secure), store.cookie_path
    if session_id:
        response.set_cookie(
            name,
            session_id,
            max_age=max_age,
            path=path,
            secure=secure,
            samesite=store.samesite,
        )
    else:
        response.delete_cookie(name, path=path, secure=secure, samesite=store.samesite)
