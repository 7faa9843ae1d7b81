"""The form with which a request is changed and sent again. Values in, markup out."""

from cgikit.html import escape

from .asking import Draft
from .markup import page, text

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_MORE = 2  # empty rows, for new fields


def edit_page(number: int, draft: Draft, token: str) -> bytes:
    """Return the page with the form for a request."""
    methods = [*_METHODS, *([] if draft.method in _METHODS else [draft.method])]
    options = "".join(
        f"<option{' selected' if one == draft.method else ''}>{text(one)}</option>"
        for one in methods
    )
    return page(
        f"Edit request {number}",
        f'<p class="links"><a href="/_cgikit/">All requests</a>'
        f'<a href="/_cgikit/{number}">Request {number}</a></p>'
        f"<h1>Edit request {number} and send it</h1>"
        '<p class="soft">The script runs again, with all that it does. A value that is left as '
        "(hidden) is sent as it was.</p>"
        f'<form method="post" action="/_cgikit/{number}/send">'
        f'<input type="hidden" name="token" value="{text(token)}">'
        f'<label for="method">Method</label><select id="method" name="method">{options}</select>'
        '<label for="path">Path, without the query</label>'
        f'<input id="path" name="path" value="{escape(draft.path)}" class="mono">'
        f"{_rows('Query', 'query', draft.query)}"
        '<label for="headers">Header fields, one in each line</label>'
        f'<textarea id="headers" name="headers" rows="8">\n{escape(draft.headers)}</textarea>'
        f"{_body(draft)}<p><button>Send it</button></p></form>",
    )


def _body(draft: Draft) -> str:
    kept = "".join(f"<p>Sent as it was: <code>{text(one)}</code></p>" for one in draft.kept)
    if draft.body is not None:
        return (
            '<label for="body">Body</label>'
            f'<textarea id="body" name="body" rows="10">\n{escape(draft.body)}</textarea>{kept}'
        )
    return _rows("Form", "form", draft.form) + kept


def _rows(title: str, what: str, pairs: list[tuple[str, str]]) -> str:
    rows = []
    for number, (name, value) in enumerate([*pairs, *[("", "")] * _MORE], 1):
        label = f'aria-label="{title} {number}: value" name="{what}-value"'
        field = (
            f'<textarea {label} rows="4">\n{escape(value)}</textarea>'
            if "\n" in value
            else f'<input {label} value="{escape(value)}">'
        )
        rows.append(
            f'<div class="pair"><input aria-label="{title} {number}: name" name="{what}-name" '
            f'value="{escape(name)}">{field}</div>'
        )
    return f"<h2>{title}</h2><p class='soft'>An empty row is left out.</p>{''.join(rows)}"
