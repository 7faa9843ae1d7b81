"""A way to run a script, and what the same request took in that way. Values only; text, HTML and JSON
are printed from them.
"""

import statistics
from collections.abc import Sequence


class Way:
    """`.name` is CGI, warm or persistent (str). `.requests` has for each request that was measured when
    its first byte and when its end came (list of pairs of float, microseconds from its beginning).
    `.why_not` says why none was (str; "" if some were).
    """

    __slots__ = ("name", "requests", "why_not")

    def __init__(self, name: str, why_not: str = "") -> None:
        self.name = name
        self.requests: list[tuple[float, float]] = []
        self.why_not = why_not

    @property
    def totals(self) -> list[float]:
        """What each request took (list of float, microseconds), the shortest first."""
        return sorted(total for _, total in self.requests)

    @property
    def median(self) -> float:
        """The median of what they took (float, microseconds); 0 if none was measured."""
        return statistics.median(self.totals) if self.requests else 0.0


def measured(ways: Sequence[Way]) -> list[Way]:
    """Return those that can be compared: the ones with requests, if one of them is not CGI."""
    found = [way for way in ways if way.requests]
    return found if any(way.name != "CGI" for way in found) else []


def scale(whole: float, ways: Sequence[Way]) -> float:
    """Return what the longest bar stands for, of a trace and of the ways beside it (microseconds)."""
    return max(whole, *(way.median for way in measured(ways)), 0.0)


def skipped(ways: Sequence[Way]) -> list[str]:
    """Return in words what the ways skip of CGI, and why some were not measured (list of str)."""
    lines = []
    found = {way.name: way for way in measured(ways)}
    cgi = found.pop("CGI", None)
    if cgi is not None:
        parts: list[str] = []
        for way in found.values():
            less = cgi.median - way.median
            verb = " skips" if not parts else ""
            of = f" of {cgi.median / 1_000:.1f} ms" if not parts else ""
            parts.append(
                f"{way.name}{verb} {less / 1_000:.1f}{of}"
                if less > 0
                else f"{way.name} skips nothing"
            )
        words = ", ".join(parts)
        counts = {len(way.requests) for way in [cgi, *found.values()]}
        number = f"{min(counts)} request{'s' * (max(counts) > 1)}{' or more' * (len(counts) > 1)}"
        lines.append(f"{words[:1].upper()}{words[1:]} (differences of medians of {number}).")
    reasons: dict[str, list[str]] = {}
    for way in ways:
        if way.why_not:
            reasons.setdefault(way.why_not, []).append(way.name)
    lines += [f"Not measured {' or '.join(names)}: {why}." for why, names in reasons.items()]
    return lines
