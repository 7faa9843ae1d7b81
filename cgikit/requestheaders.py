"""The header fields of a request, read from the HTTP_* meta-variables (RFC 3875 section 4.1.18).

Values are not interpreted here. The fields of a response are in `headers.py`.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
else:
    from _collections_abc import Mapping  # always loaded; collections.abc costs another 2 ms


class RequestHeaders(Mapping[str, str]):
    """The header fields of a request as a read-only mapping; the case of names does not matter.

    In the names of the HTTP_* variables "-" has become "_". Looking up a name with an underscore finds
    nothing, so that `X_Forwarded_For` never passes for `X-Forwarded-For`. `Proxy` is never shown: it is
    not a field of HTTP, and HTTP_PROXY would control the script's own HTTP clients (CVE-2016-5385).
    """

    __slots__ = ("_environ",)

    def __init__(self, environ: "Mapping[str, str]") -> None:
        self._environ = environ

    def __getitem__(self, name: str) -> str:
        variable = _variable(name)
        value = self._environ.get(variable, "")
        if not value or "_" in name or variable == "HTTP_PROXY":
            raise KeyError(name)
        return value

    def __iter__(self) -> "Iterator[str]":
        for variable, value in self._environ.items():
            if not value or variable == "HTTP_PROXY":
                continue
            name = variable.removeprefix("HTTP_").replace("_", "-").title()
            # Some servers set HTTP_CONTENT_TYPE as well as CONTENT_TYPE. A name that is listed twice,
            # or that cannot be looked up, would break dict(headers).
            if _variable(name) == variable:
                yield name

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"RequestHeaders({dict(self)!r})"


def _variable(name: str) -> str:
    variable = name.upper().replace("-", "_")
    return variable if variable in {"CONTENT_TYPE", "CONTENT_LENGTH"} else "HTTP_" + variable
