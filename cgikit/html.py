"""HTML escaping (WHATWG HTML, section "Serialising HTML fragments"): text into markup.

Only escaping lives here. Building forms and pages is the script's business.
"""


def escape(text: object) -> str:
    """Return `str(text)` safe inside HTML text and inside quoted attribute values (str).

    The five characters `& < > " '` become character references. It does not make a value safe inside
    `<script>`, an unquoted attribute or a URL scheme. The inverse is the standard library's
    `html.unescape`. (`html.escape` gives the same, and costs 8 ms of import.)
    """
    return (
        str(text)
        .replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace('"', "&quot;")
        .replace("'", "&#x27;")
    )
