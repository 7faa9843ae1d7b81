"""Native text: bytes decoded as `os.fsdecode` decodes them, which is how all text in the host is kept.

So the bytes that came in go out unchanged, to a script or to the file system. WSGI (PEP 3333) passes
the same bytes as ISO-8859-1 text, which `native` converts on arrival. There is one exception: a
script's header block stays ISO-8859-1, because HTTP and WSGI expect it back in that form.
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
