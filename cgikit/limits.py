"""How large a request may be: one set of named limits, all finite.

This module has only the numbers. Each parser enforces those that concern it, and raises `LimitExceeded`
with the name used here. Beside each default stands what others use, for comparison.
"""


class Limits:
    """The limits of one request. Every attribute is a keyword argument: `Limits(body=2 << 30)`.

    All values are ints of 0 or more; sizes are in bytes. An unknown name raises `TypeError`, any other
    value `ValueError`: there is no "unlimited".

    Limits cannot be changed (`AttributeError`), because many requests share them. Objects with the same
    limits are equal and have the same hash.
    """

    query = 65_536  # QUERY_STRING. Servers allow 8 KiB (httpd) to 64 KiB; CGI sets no limit
    fields = 1_000  # fields of a query string or of a body. PHP and Werkzeug: 1,000
    cookies = 300  # cookies of a request. RFC 6265 section 6.1 asks for 50 a domain
    body = 64 << 20  # CONTENT_LENGTH, whatever the type. PHP 8 MiB; httpd 1 GiB
    memory = 8 << 20  # what is kept in memory: .body, .json(), all text fields of a form
    field = 1 << 20  # one text field of a multipart form. Werkzeug: 500 kB for all of them
    file = 64 << 20  # one uploaded file, on disk. PHP: 2 MiB
    files = 20  # uploaded files in one request. PHP: 20
    part_headers = 8  # header fields of one part. multipart: 8; RFC 7578 uses three
    part_header = 4_224  # one header line of a part. multipart: 4,224
    boundary = 70  # RFC 2046 section 5.1.1
    json_values = 200_000  # values and names in a JSON body: up to 100 bytes of memory each
    json_depth = 100  # nesting of a JSON body. PHP: 512; Python's own recursion ends near 1,000

    def __init__(self, **limits: int) -> None:
        for name, value in limits.items():
            if name.startswith("_") or not isinstance(getattr(Limits, name, None), int):
                raise TypeError(f"Limits has no limit named {name!r}")
            if not isinstance(value, int) or isinstance(value, bool) or value < 0:
                raise ValueError(f"Limits({name}=…) must be an int of 0 or more, not {value!r}")
        self.__dict__.update(limits)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(
            f"limits.{name} cannot be set: other requests share these limits; make new ones, and pass "
            f"them to run or Request: limits=Limits({name}=…)"
        )

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"limits.{name} cannot be deleted: every limit is finite")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Limits) and self._all() == other._all()

    def __hash__(self) -> int:
        return hash(self._all())

    def _all(self) -> tuple[int, ...]:
        names = [n for n, value in vars(Limits).items() if isinstance(value, int) and n[0] != "_"]
        return tuple([getattr(self, name) for name in names])

    def __repr__(self) -> str:
        changed = ", ".join(f"{name}={value}" for name, value in vars(self).items())
        return f"Limits({changed})"


DEFAULT_LIMITS = Limits()
