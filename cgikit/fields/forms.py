"""The form around the fields (HTML section 4.10.3) and its buttons (4.10.6): action, encoding, token.

This module alone decides which forms get the token of the session: those that are posted to this site.
A form that leads elsewhere, or that shows its fields in the URL, would give it away.
"""

from .controls import escaped, spelled, tag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..request import Request
    from .controls import Source

# Paths of these characters alone stay as they are. `url` escapes the others, and takes time to import.
_PLAIN = frozenset("/.-_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")

# A browser would run the URL of any other scheme as a program, or not send the form.
_SCHEMES = frozenset(("http", "https", "mailto"))

TOKEN = "csrf"  # noqa: S105 -- the name of the field


def form(
    source: "Source",
    *content: str,
    action: str | None = None,
    method: str = "post",
    **attributes: object,
) -> str:
    """Return a form with `content`, which is HTML: fields, and anything between them (HTML).

    It is sent to this script, or to `action`; "" is the page's own URL with its query. A form that is
    posted to this site has the token of the session in the field `csrf`, if the request has sessions
    (`run(…, sessions=…)`). It is multipart if it contains a field made by `fields.file`.

    Raises `TypeError` for an `InvalidField`, which does not know the session: give the request; and
    `ValueError` for an action with another scheme than http, https and mailto.
    """
    method = method.lower()
    if method not in {"get", "post", "dialog"}:
        raise ValueError(f"method={method!r} is not valid; use post, get or dialog")
    request = _request(source)
    if action is None:
        local, action = True, "" if request is None else _own(request)
    else:
        action = action.strip().replace(" ", "%20")
        _check_scheme(action)
        local = action == "" or _is_local(request, action)
    own: dict[str, object] = {"action": action or None, "method": method}
    inside = "\n".join(content)
    parts = []
    if method == "post":
        if '<input type="file"' in inside:  # not from a visitor: their text is escaped
            own["enctype"] = "multipart/form-data"
        if local and request is not None:
            parts += _token(request)
    return "\n".join([tag("form", own | spelled(attributes, "form")), *parts, inside, "</form>"])


def button(
    source: "Source",
    name: str = "",
    *,
    label: str = "Send",
    value: object = None,
    type: str = "submit",
    **attributes: object,
) -> str:
    """Return a button (HTML). If it has a name, it sends its `value` when it is pressed.

    Raises `ValueError` for a `formaction` on another site and for `formmethod`: the token of the form
    would go with it.
    """
    if type not in {"submit", "reset", "button"}:
        raise ValueError(f"type={type!r} is not valid; use submit, reset or button")
    own = {"type": type, "name": name or None, "value": value}
    given = spelled(attributes, "button")
    if "formaction" in given or "formmethod" in given:
        _check_button(source, given)
    return f"{tag('button', own | given)}{escaped(label)}</button>"


def _check_scheme(action: str) -> None:
    # As browsers read it: they drop control characters.
    head = "".join([char for char in action if char > " "])
    for end in "/?#":
        head = head.partition(end)[0]
    scheme, colon, _ = head.partition(":")
    if colon and scheme.lower() not in _SCHEMES:
        raise ValueError(
            f"action={action[:100]!r} is not valid: a form cannot be sent to a {scheme[:20]!r} URL; "
            "give a path of this site, or a URL with https://"
        )


def _request(source: "Source") -> "Request | None":
    if isinstance(source, Exception):
        raise TypeError("an InvalidField does not know the session; give the request to form")
    return source.request if isinstance(source, dict) else source


def _own(request: "Request") -> str:
    path = request.script_name + request.path_info
    if _PLAIN.issuperset(path) and path[:1] == "/" and path[1:2] != "/":
        return path
    return request.url(base=False, query=False)


def _is_local(request: "Request | None", action: str) -> bool:
    """Return whether a browser sends the form to this site; if unsure, False."""
    from ..redirect import check_location

    if request is not None and action[:8].lower().startswith(("http://", "https://")):
        origin = request.origin
        if action.startswith((f"{origin}/", f"{origin}?", f"{origin}#")) or action == origin:
            action = action.removeprefix(origin) or "/"
    try:
        check_location(action, local=True)
    except ValueError:
        return False
    return True


def _check_button(source: "Source", attributes: "Mapping[str, object]") -> None:
    """Raise `ValueError` for a button that would send the form, and its token, to another site, or in
    the URL.
    """
    method = str(attributes.get("formmethod") or "post").lower()
    action = str(attributes.get("formaction") or "").strip()
    request = None if isinstance(source, Exception) else _request(source)
    if method == "get" or not (action == "" or _is_local(request, action)):
        given = "formmethod" if method == "get" else "formaction"
        raise ValueError(
            f"{given}={str(attributes[given])[:100]!r} would give away the token of the form; make a "
            "form of its own for this button"
        )


def _token(request: "Request") -> list[str]:
    if not request.has_sessions:
        return []
    token = request.session.csrf_token()
    return [tag("input", {"type": "hidden", "name": TOKEN, "value": token})]
