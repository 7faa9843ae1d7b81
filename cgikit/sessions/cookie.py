"""The session's cookie (RFC 6265bis): what it is called, and which of those that came are tried.

Cookies know no ports and, at Path=/, no paths, so that all applications of a host share their names.
The default name is made of the place where a store keeps its sessions: the same for all scripts that
share them, and another one for everybody else. The name it had before, `session`, is still read.
"""

from .store import FORMER, is_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..environ import MetaVariables
    from ..response import Response
    from .store import Store

MOST_TRIED = 5  # ids of one request that are looked up: each costs an access to the store


def is_secure(store: "Store", request: "MetaVariables") -> bool:
    """Tell whether the cookie is for HTTPS only: as the store says, or as the request came."""
    return request.is_secure if store.secure is None else store.secure


def ids(store: "Store", request: "MetaVariables") -> list[tuple[str, str]]:
    """Return the ids that came with a request, each with the name of its cookie; `MOST_TRIED` at most.

    A browser sends several cookies of one name where they differ in their paths, and a cookie that
    somebody planted must not lock the visitor out: so all of them are to be tried.
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
        return []  # before any system call, and the name can cost some
    found: dict[str, str] = {}
    for wanted in store.cookie_names(is_secure(store, request)):
        for name, value in proper:
            if name == wanted:
                found.setdefault(value, name)
    return list(found.items())[:MOST_TRIED]


def is_former(store: "Store", name: str) -> bool:
    """Tell whether a cookie's name is the former one of a store that has a name of its own now."""
    return store.cookie is None and name.endswith(FORMER) and bool(store.place())


def send(
    response: "Response",
    store: "Store",
    request: "MetaVariables",
    session_id: str,
    max_age: int | None = None,
) -> None:
    """Set the cookie in a response, for `max_age` seconds; delete it where there is no id."""
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
