"""The differences between cgikit and CGI.pm that are wanted: tests/data/perl/differences.toml.

That file says what a difference consists of. Here are the words that its expressions use.
"""

import re
import tomllib
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import posting
from house import ROOT

from cgikit import dates, querystring
from cgikit.headers import is_token
from cgikit.url import quote_reference

from .subjects import REFUSED, Case, by_name

DATA = ROOT / "tests" / "data" / "perl" / "differences.toml"
QUERIES = ("QUERY_STRING", "HTTP_COOKIE", "body", "text")

Change = str | Callable[[Any], str]


def texts(case: Case, places: tuple[str, ...] = QUERIES) -> dict[str, str]:
    """The encoded texts of a case: its query, its cookies, its body or a text alone."""
    found = {place: case["environ"].get(place) for place in places if "environ" in case}
    found |= {place: case.get(place) for place in places if place in case}
    return {
        place: text.decode("utf-8", "surrogateescape") if isinstance(text, bytes) else text
        for place, text in found.items()
        if text is not None
    }


def has(case: Case, pattern: str) -> bool:
    """Whether one of the encoded texts has the pattern."""
    return any(re.search(pattern, text) for text in texts(case).values())


def sub(case: Case, pattern: str, change: Change, places: tuple[str, ...] = QUERIES) -> Case:
    """The case with the pattern replaced in its encoded texts."""
    changed = dict(case)
    for place, text in texts(case, places).items():
        new = re.sub(pattern, change, text)
        if place == "body":
            body = new.encode("utf-8", "surrogateescape")
            changed["body"] = body
            changed = with_variables(changed, CONTENT_LENGTH=str(len(body)))
        elif place in case:
            changed[place] = new
        else:
            changed = with_variables(changed, **{place: new})
    return changed


def with_variables(case: Case, **variables: str) -> Case:
    return {**case, "environ": {**case["environ"], **variables}}


def with_parts(case: Case, parts: list[bytes]) -> Case:
    """A multipart case with other parts."""
    body = posting.multipart(*parts)
    changed = {**case, "body": body, "parts": parts}
    return with_variables(changed, CONTENT_LENGTH=str(len(body)))


def pairs(case: Case, change: Callable[[str, str], tuple[str, str] | None]) -> Case:
    """A case of cookies with each pair changed, or dropped (None); what is no pair is dropped."""
    found = []
    for pair in case["environ"]["HTTP_COOKIE"].split(";"):
        name, equals, value = pair.strip(" \t").partition("=")
        new = change(name, value) if equals else None
        if new is not None:
            found.append("=".join(new))
    return with_variables(case, HTTP_COOKIE="; ".join(found))


def unquoted(name: str) -> str:
    """A name as browsers mean it (WHATWG HTML, multipart/form-data)."""
    return name.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")


def twice(names: list[bytes]) -> bool:
    """Whether one of the names is there more than once."""
    return len(set(names)) < len(names)


def as_date(said: str) -> str:
    """What CGI.pm says of a moment as a date, if it is a number; refused if its year is too long."""
    if re.fullmatch(r"-?\d+(\.\d+)?(e[+-]?\d+)?", said):
        try:
            return dates.format_http_date(int(float(said)))
        except ValueError:
            return REFUSED
    return REFUSED if re.search(r" \d{5,} ", said) else said


def in_urls(urls: dict[str, list[Any]], old: str, new: str, part: int) -> dict[str, list[Any]]:
    """URLs that are taken apart, with a text replaced in one part of each."""
    return {
        name: [one.replace(old, new) if at == part else one for at, one in enumerate(url)]
        for name, url in urls.items()
    }


SPACE = {
    "REFUSED": REFUSED, "as_date": as_date, "by_name": by_name, "dates": dates,
    "has": has, "in_urls": in_urls, "is_token": is_token, "pairs": pairs,
    "querystring": querystring, "quote": quote, "quote_reference": quote_reference, "re": re,
    "sub": sub, "twice": twice, "unquoted": unquoted, "with_parts": with_parts,
    "with_variables": with_variables,
}  # fmt: skip


class Difference:
    """One entry of the list."""

    def __init__(self, entry: dict[str, Any]) -> None:
        self.name: str = entry.pop("name")
        self.of: list[str] = entry.pop("of")
        self.reason: str = entry.pop("reason")
        self._code = {key: compile(text, self.name, "eval") for key, text in entry.items()}
        assert set(entry) <= {"when", "ask", "then", "same"}, self.name
        assert "when" in entry, self.name
        assert len(entry) > 1, self.name

    def __repr__(self) -> str:
        return self.name

    def says(self, key: str, **names: Any) -> Any:
        """The value of an expression."""
        # Names that a lambda uses must be global to it.
        return eval(self._code[key], {**SPACE, **names})

    def has(self, key: str) -> bool:
        return key in self._code


ALL = [Difference(entry) for entry in tomllib.loads(DATA.read_text())["difference"]]
