"""The one error of the host: what is wrong, with its HTTP status, and what to do about it.

The texts are written for the person who owns the scripts. Whether a visitor may see them is decided
where pages are made (`page.py`); rendering does not happen here.
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
    visitors.
    """

    def __init__(
        self,
        status: int,
        what: str,
        fix: str = "",
        *,
        evidence: str = "",
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(what)
        self.status = status
        self.what = what
        self.fix = fix
        self.evidence = evidence
        self.headers = headers

    @property
    def log_text(self) -> str:
        """All of it for the log of the person who owns the scripts (str): what, the fix, evidence."""
        evidence = f"({self.evidence})" if self.evidence else ""
        return " ".join(filter(None, (self.what, self.fix, evidence)))

    @property
    def message(self) -> str:
        """What to tell a visitor who does not own the scripts (str): nothing about files."""
        if self.status == 404:
            return "There is nothing at this address."
        if self.status in _TO_VISITORS:
            return _TO_VISITORS[self.status]
        if self.status < 500:
            return "The server refused this request."
        return "The script did not answer. The server's log says why."
