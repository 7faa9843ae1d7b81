"""The limits of `cgikit.compat.cgi`: how much a request may bring to an old script. The removed
module had none but `maxlen`.

Each is an int to be set before the form is read: `from cgikit.compat import limits; limits.body = 2
<< 30`. A request over one of them is a `ValueError`, as it was for `maxlen`. They are wider than
those of `cgikit.limits`, because scripts that worked must go on working. Only the numbers live
here, and the one error.
"""

body = 1 << 30  # bytes of a body, whatever its type. httpd: 1 GiB
memory = 16 << 20  # bytes of text that are held in memory: urlencoded, and in all parts together
query = 1 << 20  # bytes of a query string. Servers stop at 64 KiB or before
fields = 10_000  # fields of a form, query and files included. PHP: 1,000
files = 500  # uploaded files of a form; each over 1,000 bytes is an open file. PHP: 20
part_header = 65_536  # bytes of all header lines of one part. multipart: 8 lines of 4,224
nesting = 5  # multipart in multipart. RFC 2388 knew one, RFC 7578 none

NAMES = ("body", "memory", "query", "fields", "files", "part_header", "nesting")


def allowed(name: str) -> int:
    """Return the value of a limit. Raises `TypeError` where it was set to anything but an int of 0 or
    more: there is no "unlimited".
    """
    value = globals()[name]
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError(
            f"cgikit.compat.limits.{name} is {value!r}, not an int of 0 or more; set it to a number: "
            "there is no way to have no limit"
        )
    return value


def check(name: str, seen: int) -> None:
    """Raise `ValueError` if `seen` is over the limit `name`."""
    most = allowed(name)
    if seen > most:
        raise ValueError(
            f"the request is too large: {name} is {seen} or more, and at most {most} is allowed; to "
            f"allow more, set cgikit.compat.limits.{name} before the form is read"
        )
