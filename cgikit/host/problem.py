"""The one error of the host: what is wrong, with its HTTP status, and what to do about it.

The texts are for the person who owns the scripts. `page.py` decides whether a visitor may see them, and
renders them.
"""

from cgikit.errors import CGIError

_TO_VISITORS = {
    413: "What you sent is too large for this server.",
    414: "The address of this page is too long for this server.",
    431: "What your browser sends with a request is too large for this server.",
    503: "The server is busy. Try again in a moment.",
    507: "The server has no room for what was sent. Try again later.",
}


class Problem(CGIError):
    """A request that the host cannot answer with a script's output.

    `.status` is the HTTP status (int), `.what` says in one sentence what is wrong, `.fix` what to
    do ("" if nothing helps), `.evidence` shows the offending lines verbatim ("" if there are none),
    and `.headers` are (name, value) pairs for the answer. `.message` is the short form for
    visitors. `.kind` is a short name for programs, as "no-blank-line", `.rule` the section of the
    standard ("" if there is none).
    """

    def __init__(
        self,
        status: int,
        what: str,
        fix: str = "",
        *,
        evidence: str = "",
        headers: tuple[tuple[str, str], ...] = (),
        kind: str = "",
        rule: str = "",
    ) -> None:
        super().__init__(what)
        self.status = status
        self.what = what
        self.fix = fix
        self.evidence = evidence
        self.headers = headers
        self.kind = kind
        self.rule = rule

    @property
    def log_text(self) -> str:
        """The whole text for the log (str): what is wrong, the fix, the evidence."""
        evidence = f"({self.evidence})" if self.evidence else ""
        return " ".join(filter(None, (self.what, self.fix, evidence)))

    @property
    def message(self) -> str:
        """The text for visitors, who do not own the scripts (str): it names no files."""
        if self.status == 404:
            return "There is nothing at this address."
        if self.status in _TO_VISITORS:
            return _TO_VISITORS[self.status]
        if self.status < 500:
            return "The server refused this request."
        return "The script did not answer. The server's log says why."
