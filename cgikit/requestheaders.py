"""The request's header fields, as the HTTP_* meta-variables hand them over (RFC 3875 section 4.1.18).

Reading only, by name in any case. What the fields mean is the business of whoever asks for them; the
fields of an answer are built in `headers.py`.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
else:
    from _collections_abc import Mapping  # loaded at every start; collections.abc costs 2 ms more


class RequestHeaders(Mapping[str, str]):
    """The request's header fields as a read-only mapping, by name in any case.

    Built on the HTTP_* variables, where "-" has become "_"; a name with an underscore therefore finds
    nothing, so that `X_Forwarded_For` never passes for `X-Forwarded-For`. `Proxy` is never shown (it
    is no header of HTTP, and HTTP_PROXY steers clients: CVE-2016-5385).
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
            # Only what look-up finds: some servers set HTTP_CONTENT_TYPE beside CONTENT_TYPE, and a
            # name that came twice, or that is not found, would break dict(headers).
            if _variable(name) == variable:
                yield name

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"RequestHeaders({dict(self)!r})"


def _variable(name: str) -> str:
    variable = name.upper().replace("-", "_")
    return variable if variable in {"CONTENT_TYPE", "CONTENT_LENGTH"} else "HTTP_" + variable
