"""Native text: bytes decoded as `os.fsdecode` decodes them, which is how all text in the host is kept.

What came in thus goes out, to a script or to the file system, as the same bytes. WSGI (PEP 3333) hands
over the same bytes as ISO-8859-1 text, which `native` converts where it comes in. There is one
exception: a script's header block stays ISO-8859-1, because that is what HTTP and WSGI take back.
Percent-escapes stand for bytes too, so they are decoded here and nowhere else in the host.
"""

import os
import re

from cgikit.gateway.wire import native as native
from cgikit.querystring import unquote

_BAD_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")


def unescaped(text: str) -> bytes | None:
    """Return the bytes that percent-encoded text stands for (RFC 3986 section 2.1), or None if a "%" is
    not followed by two hexadecimal digits. Anything that is not escaped stays as it is.
    """
    if "%" in text and _BAD_ESCAPE.search(text):
        return None
    return unquote(os.fsencode(text))
