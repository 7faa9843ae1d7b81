"""One mistake in a script or around it: what is wrong, how it shows, how to mend it. Values only.

Text, JSON and pages are printed from the same findings.
"""


class Finding:
    """A mistake, or something that could be better.

    `.kind` is a short name that programs can rely on (str), as "no-blank-line". `.what` says in one
    sentence what is wrong (str); `.evidence` is what shows it, verbatim, and `.fix` what to do (str, ""
    if there is none). `.is_error` tells whether the script cannot work so (bool); otherwise the finding
    is advice. `.rule` names the standard (str), as "RFC 3875 section 6.3". `.file` and `.line` say
    where it is (str, int; "" and 0 if there is no such place). `.command` is a shell command that mends
    it (str, "" if none is safe).
    """

    __slots__ = ("command", "evidence", "file", "fix", "is_error", "kind", "line", "rule", "what")

    def __init__(
        self,
        kind: str,
        what: str,
        *,
        is_error: bool = True,
        evidence: str = "",
        fix: str = "",
        rule: str = "",
        file: str = "",
        line: int = 0,
        command: str = "",
    ) -> None:
        self.kind = kind
        self.what = what
        self.is_error = is_error
        self.evidence = evidence
        self.fix = fix
        self.rule = rule
        self.file = file
        self.line = line
        self.command = command

    def __repr__(self) -> str:
        where = f" {self.file}:{self.line}" if self.line else f" {self.file}" if self.file else ""
        return f"<Finding {self.kind}{where}: {self.what}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Finding) and self.as_dict() == other.as_dict()

    __hash__ = None  # type: ignore[assignment]  # attributes can be set

    def as_dict(self) -> dict[str, "str | int | bool"]:
        """Return the attributes by name (dict), in the order in which JSON shows them."""
        return {
            "kind": self.kind,
            "error": self.is_error,
            "file": self.file,
            "line": self.line,
            "what": self.what,
            "evidence": self.evidence,
            "fix": self.fix,
            "command": self.command,
            "rule": self.rule,
        }
