"""Findings as text for people and as JSON for programs. Pure."""

import json
from collections.abc import Mapping, Sequence

from ..characters import printable
from .finding import Finding

_INDENT = " " * 10


def text(findings: Sequence[Finding]) -> list[str]:
    """Return the findings as lines: what is wrong, what shows it, what to do, and the rule."""
    lines = []
    for finding in findings:
        kind = "error" if finding.is_error else "advice"
        rule = f"  [{finding.rule}]" if finding.rule else ""
        lines.append(f"  {kind:7} {printable(finding.what)}{rule}")
        lines += [f"{_INDENT}> {printable(line)}" for line in finding.evidence.splitlines()]
        if finding.fix:
            lines.append(f"{_INDENT}{printable(finding.fix)}")
    return lines


def summary(scripts: int, findings: Sequence[Finding]) -> str:
    """Return the last line: how many scripts, errors and pieces of advice."""
    errors = sum(finding.is_error for finding in findings)
    advice = len(findings) - errors
    parts = [f"{errors} error{'s' * (errors != 1)}", f"{advice} advice"]
    return f"{scripts} script{'s' * (scripts != 1)}: {', '.join(parts)}"


def as_json(
    found: Mapping[str, Sequence[Finding]], more: "Mapping[str, Mapping[str, object]] | None" = None
) -> str:
    """Return the findings of each script as JSON (docs/reference/check.md has the names), with what
    else there is to say of it, by its name.
    """
    scripts = [
        {
            "file": file,
            "findings": [finding.as_dict() for finding in findings],
            **(more or {}).get(file, {}),
        }
        for file, findings in found.items()
    ]
    everything = [finding for findings in found.values() for finding in findings]
    errors = sum(finding.is_error for finding in everything)
    whole = {"scripts": scripts, "errors": errors, "advice": len(everything) - errors}
    return json.dumps(whole, indent=2)
