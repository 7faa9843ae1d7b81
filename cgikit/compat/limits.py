"""The limits of `cgikit.compat.cgi`: how much an old script accepts from a request. The removed module
had only `maxlen`.

Each is an int that is set before the form is read: `from cgikit.compat import limits; limits.body = 2
<< 30`. A request that exceeds one raises `ValueError`, as it did for `maxlen`. They are higher than
those of `cgikit.limits`, because scripts that worked must go on working.
"""

body = 1 << 30  # bytes of a body, whatever its type. httpd: 1 GiB
memory = 16 << 20  # bytes of text that are kept in memory: urlencoded, and in all parts together
query = 1 << 20  # bytes of a query string. Servers accept at most 64 KiB
fields = 10_000  # fields of a form, query and files included. PHP: 1,000
files = 500  # uploaded files of a form; each over 1,000 bytes is an open file. PHP: 20
part_header = 65_536  # bytes of all header lines of one part. multipart: 8 lines of 4,224
nesting = 5  # multipart in multipart. RFC 2388 knew one, RFC 7578 none

NAMES = ("body", "memory", "query", "fields", "files", "part_header", "nesting")


def allowed(name: str) -> int:
    """Return the value of a limit. Raises `TypeError` if it was set to anything but an int of 0 or
    more: "unlimited" is not possible.
    """
    value = globals()[name]
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError(
            f"cgikit.compat.limits.{name} is {value!r}; expected an int of 0 or more. Set it to a "
            "number; limits cannot be switched off"
        )
    return value


def check(name: str, seen: int) -> None:
    """Raise `ValueError` if `seen` exceeds the limit `name`."""
    most = allowed(name)
    if seen > most:
        raise ValueError(
            f"the request is too large: {name} is {seen} or more; the limit is {most}. To allow more, "
            f"set cgikit.compat.limits.{name} before the form is read"
        )
