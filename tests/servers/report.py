"""Writes docs/deploy/servers.md, and the table of deviations that it shows: `make servers`.

`python -m servers.report RECORD` takes what a run of test_conformance.py with CGIKIT_RECORD=RECORD
wrote, brings tests/data/rfc3875/deviations.toml up to date, and writes the page. Without RECORD it
writes the page from the table as it is. The cause of each deviation, a name in causes.toml, is written
into the table by hand, and kept.
"""

import datetime
import importlib.metadata
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from .deviations import DEVIATIONS
from .rfc3875 import DATA, Case, applies, load, recorded, rules, servers, table

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "deploy" / "servers.md"
TABLE = DATA / "deviations.toml"

HEAD = """\
# servers: how each of them implements CGI

The tests divide RFC 3875 into fifty [rules](#rules), R1 to R27 for scripts and R28 to R50 for
servers. For each rule there are one or more cases in
[tests/data/rfc3875](../../tests/data/rfc3875/README.md): a request in raw HTTP, and the expected
answer.
All {count} cases are sent to every server below, each started with the configuration that
[`cgikit config`](config.md) prints for it. Every answer must also be well-formed HTTP.

For scripts that [`cgikit accelerate`](accelerate.md) has given fronts, the cases are sent to the
fronts too, under Apache's mod_cgid and mod_cgi, lighttpd, BusyBox httpd and `cgikit serve`. The tests
fail unless the server's column is true of them as well, and each answer comes from the daemon.

To choose a way to run scripts, see [choosing](../understand/choosing.md); to choose a server, see
[config](config.md#which-server).

`make servers` runs the cases and writes this page. Last run: {date}. The tests fail if a server
deviates in a way that is not on this page, or if a deviation on this page no longer occurs.

In the tables, **ok** means that every case of the rule passed. A number is a link to what happens
instead. **·** means that the rule has no case on this server: it does not apply, or is shown by a
test ([below](#rules)).
"""

WORDS = """\
Each deviation is followed by the cases that show it, and by what was seen in the first of them.
Everything that was seen is in [deviations.toml](../../tests/data/rfc3875/deviations.toml).
"""

BEYOND = """\
The other tests of the servers, with the example scripts and with invalid requests, found these
differences. The tests check the table, [deviations.py](../../tests/servers/deviations.py).
"""

GROUPS = {
    "cgikit": """\
## Where cgikit runs the scripts

This is `cgikit serve`, or `cgikit fastcgi` and `cgikit scgi` behind a web server. Some of the
deviations are the web server's: it reads the request before cgikit does, and the answer after.

Passwords (R28, R30) are checked by the web server, if it can, as
[config](config.md#ask-for-a-password) describes. `cgikit serve` cannot ask for a password and never
reports a user as authenticated; the cases of access control use a host name that it refuses.
""",
    "own": """\
## Where the server runs the scripts itself

R1 to R27 are cgikit's answers, which these servers pass on; R28 to R50 are the servers' own
behaviour.
""",
    "none": """\
## Where a WSGI server calls the handler

`WSGI(handler)` is called in the server's own process. No script is run, so R28 to R50 do not apply.
""",
}


def page() -> str:
    """The text of docs/deploy/servers.md, from the tables in tests/data/rfc3875."""
    cases = load()
    parts = [HEAD.format(count=len(cases), date=table()["date"])]
    for group, words in GROUPS.items():
        names = [name for name in servers() if servers()[name]["host"] == group]
        parts += [words, *matrix(names, cases), ""]
    parts += ["## Deviations", "", WORDS]
    for name in servers():
        parts += told(name, cases)
    parts += ["## Beyond RFC 3875", "", BEYOND, *beyond(), ""]
    parts += ["## Rules", "", *explained(cases)]
    return "\n".join(parts) + "\n"


@cache
def causes() -> dict[str, dict[str, str]]:
    """Why servers deviate (`causes.toml`): `text`, and `by` whom."""
    return tomllib.loads((DATA / "causes.toml").read_text("utf-8"))


def causes_of(server: str, cases: list[Case]) -> dict[str, list[Case]]:
    """The causes of a server's deviations, in the order of the cases that show them."""
    found: dict[str, list[Case]] = {}
    for case in cases:
        if entry := recorded().get((case.name, server)):
            found.setdefault(entry["cause"], []).append(case)
    return found


def matrix(names: list[str], cases: list[Case]) -> Iterator[str]:
    """A table: a row for each rule, a column for each server."""
    versions = table()["versions"]
    heads = [f"{servers()[name]['title']} {versions.get(name, '')}".strip() for name in names]
    yield f"| | {' | '.join(heads)} |"
    yield f"|---|{'---|' * len(names)}"
    for rule in rules():
        cells = [cell(rule, name, cases) for name in names]
        if any(text != "·" for text in cells):
            yield f"| **{rule}** {rules()[rule]['text']} | {' | '.join(cells)} |"


def cell(rule: str, server: str, cases: list[Case]) -> str:
    """What one server makes of one rule."""
    if server not in table()["versions"]:
        return "not run"
    if not any(case.rule == rule and applies(case, server) for case in cases):
        return "·"
    numbers = [
        str(number)
        for number, shown in enumerate(causes_of(server, cases).values(), 1)
        if any(case.rule == rule for case in shown)
    ]
    return f"[{', '.join(numbers)}](#{slug(servers()[server]['title'])})" if numbers else "ok"


def slug(heading: str) -> str:
    """The anchor of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def told(server: str, cases: list[Case]) -> Iterator[str]:
    """What one server does instead, and in which cases that was seen."""
    found = causes_of(server, cases)
    if not found:
        return
    yield f"### {servers()[server]['title']}"
    yield ""
    for number, (cause, shown) in enumerate(found.items(), 1):
        text = causes().get(cause, {"text": "(no cause yet.)"})["text"]
        entry = recorded()[shown[0].name, server]
        text += " (Not every time.)" if entry.get("sometimes") else ""
        links = ", ".join(link(case) for case in shown)
        yield f"{number}. {text} {links}: {code(entry['differences'][-1])}"
    yield ""


def link(case: Case) -> str:
    """A case with its level, linked to its file."""
    return f"[{case.name}](../../tests/data/rfc3875/{case.name}.toml) ({case.level})"


def code(text: str) -> str:
    """A text as a code span of Markdown."""
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def beyond() -> Iterator[str]:
    """What other tests than the cases have found, as a table."""
    yield "| server | deviation | cause |"
    yield "|---|---|---|"
    for deviation in DEVIATIONS:
        names = ", ".join(servers()[name]["title"] for name in deviation.servers)
        yield f"| {names} | {deviation.what} | {deviation.why} |"


def explained(cases: list[Case]) -> Iterator[str]:
    """What the rules say and what shows them."""
    yield "| rule | section | text | shown by |"
    yield "|---|---|---|---|"
    for name, rule in rules().items():
        shown = [
            f"[{case.name.partition('-')[2]}](../../tests/data/rfc3875/{case.name}.toml)"
            for case in cases
            if case.rule == name
        ]
        for test in rule.get("tests", []):
            path, _, function = test.partition("::")
            shown.append(f"[`{function}`](../../{path})")
        yield f"| {name} | {rule['section']} | {rule['text']} | {', '.join(shown)} |"


# --- recording ------------------------------------------------------------------------------------


def update(record: Path) -> None:
    """Put a recorded run into the table; servers that it left out keep what they had."""
    old = recorded() if TABLE.exists() else {}
    versions = table()["versions"] if TABLE.exists() else {}
    lines = [json.loads(line) for line in record.read_text().splitlines()]
    seen = {server for _, server, _ in lines}
    kept = [[case, server, e["differences"]] for (case, server), e in old.items()]
    kept = [line for line in kept if line[1] not in seen]
    merged: dict[tuple[str, tuple[str, ...], str, bool], list[str]] = {}
    for case, server, differences in sorted(kept + lines, key=rank):
        before = old.get((case, server), {})
        sometimes = before.get("sometimes", False)
        if sometimes and not differences:
            differences = before["differences"]
        if differences:
            key = (case, tuple(differences), before.get("cause", ""), sometimes)
            merged.setdefault(key, []).append(server)
    versions |= {server: version(servers()[server]) for server in seen}
    TABLE.write_text(written(merged, versions), encoding="utf-8")


def rank(line: list[Any]) -> tuple[int, str, int]:
    """Where a line of the record belongs: by rule, case and server."""
    case, server, _ = line
    return int(re.findall("[0-9]+", case)[0]), case, list(servers()).index(server)


def version(server: dict[str, Any]) -> str:
    """The version of an installed server, as its command or its package tells it."""
    if "package" in server:
        return importlib.metadata.version(server["package"])
    path = f"{os.environ.get('PATH', os.defpath)}:/usr/local/sbin:/usr/sbin:/sbin"
    environ = {**os.environ, "PATH": path}
    done = subprocess.run(server["version"], env=environ, capture_output=True, text=True)
    number = re.search(r"[0-9]+\.[0-9]+(\.[0-9]+)?", done.stdout + done.stderr)
    return number[0] if number else ""


def written(
    merged: dict[tuple[str, tuple[str, ...], str, bool], list[str]], versions: dict[str, str]
) -> str:
    """The table as TOML."""
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    lines = [
        "# What servers do instead of what a case expects: written by `make servers`, except for the",
        "# causes (see causes.toml), and `sometimes = true` for what does not happen every time: these",
        "# are written by hand, and kept.",
        f'date = "{today}"',
        "",
        "[versions]",
        *(f"{name} = {quoted(versions[name])}" for name in servers() if name in versions),
    ]
    for (case, differences, cause, sometimes), names in merged.items():
        lines += [
            "",
            "[[deviation]]",
            f"case = {quoted(case)}",
            f"servers = [{listed(names)}]",
            f"differences = [{listed(differences)}]",
            f"cause = {quoted(cause)}",
            *(["sometimes = true"] if sometimes else []),
        ]
    return "\n".join(lines) + "\n"


def listed(texts: Iterable[str]) -> str:
    """Strings as the inside of a TOML array."""
    return ", ".join(quoted(text) for text in texts)


def quoted(text: str) -> str:
    """A string in TOML, whose basic strings are JSON's, but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        update(Path(sys.argv[1]))
        for cached in (recorded, table):
            cached.cache_clear()
    PAGE.write_text(page(), encoding="utf-8")
    print(f"Wrote {PAGE.relative_to(ROOT)} and {TABLE.relative_to(ROOT)}")
