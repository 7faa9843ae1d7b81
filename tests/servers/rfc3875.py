"""Runs the cases of RFC 3875 (`tests/data/rfc3875/*.toml`) against a running server.

A case is data: the request in raw HTTP, maybe the raw output of the script that gets it, and what is
expected of the answer. `attempt` sends it and returns what differed. Beside what a case says, every
answer has to be well-formed HTTP (R28). tests/data/rfc3875/README.md describes the format.
"""

import json
import re
import shutil
import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from .rawhttp import Answer, exchange, read
from .server import Server

DATA = Path(__file__).parents[1] / "data" / "rfc3875"
#: Escapes for the script-URI: section 3.3 reserves these beyond what no path can hold.
_PATH_SAFE = "/!$&'()*+,:@-._~"


@dataclass(frozen=True)
class Case:
    """One case. Its name is that of its file; the file's keys are these attributes."""

    name: str
    title: str
    rule: str
    section: str
    level: str
    side: str
    request: str
    expect: dict[str, Any]
    body: str = ""
    output: str | None = None
    script: str = ""
    refusal: list[int] = field(default_factory=list)
    guarded: bool = False
    before: list[str] = field(default_factory=list)
    before_status: int = 200
    until: str = ""
    then: str = ""
    method: str = field(init=False)
    protocol: str = field(init=False)

    def __post_init__(self) -> None:
        first = self.request.partition("\n")[0].split()
        object.__setattr__(self, "method", first[0])
        object.__setattr__(self, "protocol", first[-1])

    @property
    def script_file(self) -> str:
        """The name of the file that prints `output`."""
        return self.script or f"{self.name}.py"


def load() -> list[Case]:
    """Every case, sorted by its rule's number and its name."""
    found = []
    for path in DATA.glob("R*.toml"):
        try:
            found.append(Case(name=path.stem, **tomllib.loads(path.read_text("utf-8"))))
        except (TypeError, tomllib.TOMLDecodeError) as error:
            raise ValueError(f"{path.name}: {error}") from error
    return sorted(found, key=lambda case: (int(case.rule[1:]), case.side, case.name))


def install(cases: list[Case], server: Server) -> None:
    """Put the scripts that print the outputs of `cases` into the directory that is served."""
    directory = server.directory / "rfc3875"
    for case in cases:
        if case.output is not None:
            script = directory / case.script_file
            shutil.copy(directory / "says.py", script)
            script.chmod(0o755)
            output = filled(case.output, places(case, server))
            script.with_suffix(".out").write_bytes(output.encode("latin-1"))
            script.with_suffix(".out").chmod(0o644)


def attempt(case: Case, server: Server) -> list[str]:
    """Send a case's request; return what differed from what it expects, [] if nothing did.

    Each difference is "what: how", where `what` does not depend on the machine.
    """
    names = places(case, server)
    try:
        for earlier in case.before:
            status = send(earlier, "", names, case).status
            if status != case.before_status:
                return [f"before: {status or 'none'} instead of {case.before_status}"]
        answer = send(case.request, case.body, names, case)
    except TimeoutError:
        return ["http: no end of the answer in time"]
    told = differences(case, answer, names)
    if not told and "script_uri" in case.expect:
        told = round_trip(case, answer, names)
    return [steady(line, names) for line in told]


def places(case: Case, server: Server) -> dict[str, str]:
    """What the words in braces stand for on this server."""
    url = urlsplit(server.base_url)
    return {
        "base": url.path,
        "dir": f"{url.path}rfc3875/",
        "script": f"{url.path}rfc3875/{case.script_file}",
        "host": url.netloc,
        "name": url.hostname or "",
        "port": str(url.port),
        "root": str(server.directory),
        "state": str(server.directory.parent),
    }


def filled(text: str, names: dict[str, str]) -> str:
    """`text` with the words in braces replaced."""
    return re.sub(r"\{(\w+)\}", lambda match: names.get(match[1], match[0]), text)


def steady(text: str, names: dict[str, str]) -> str:
    """The inverse of `filled` for what differs from run to run; times become `{date}`."""
    for word in ("root", "state", "host", "port"):
        text = text.replace(names[word], f"{{{word}}}")
    return re.sub(r"\w{3}, [0-9]{2} \w{3} [0-9]{4} [0-9:]{8} GMT", "{date}", text)


def send(request: str, body: str, names: dict[str, str], case: Case) -> Answer:
    """Send a request, which asks the server to close, with a body; return the answer."""
    content = sized(filled(body, names)).encode("latin-1")
    names = names | {"length": str(len(content))}
    where = names["name"], int(names["port"])
    raw = written(request, names) + content

    def then() -> None:
        exchange(*where, written(case.then, names))

    received = exchange(*where, raw, case.until.encode(), then)
    return read(received, case.method, case.protocol)


def written(request: str, names: dict[str, str]) -> bytes:
    """The head of a request as it is sent."""
    head = filled(request, names).strip("\n").replace("\n", "\r\n")
    if "\r\nConnection:" not in head:
        head += "\r\nConnection: close"
    return f"{head}\r\n\r\n".encode("latin-1")


def sized(body: str) -> str:
    """A body; `repeat NUMBER TEXT` stands for a large one, `chunked NUMBER SIZE TEXT` for one of so
    many chunks, each of SIZE bytes (in hexadecimal) of the text again and again.
    """
    if match := re.fullmatch(r"repeat ([0-9]+) (.*)", body, re.DOTALL):
        return match[2] * int(match[1])
    if match := re.fullmatch(r"chunked ([0-9]+) ([0-9a-f]+) (.*)", body, re.DOTALL):
        size = int(match[2], 16)
        piece = (match[3] * (size // len(match[3]) + 1))[:size]
        return f"{match[2]}\r\n{piece}\r\n" * int(match[1]) + "0\r\n\r\n"
    return body


def differences(case: Case, answer: Answer, names: dict[str, str]) -> list[str]:
    """What an answer has that the case does not expect, or lacks."""
    found = [f"http: {fault}" for fault in dict.fromkeys(answer.faults)]
    if answer.status in case.refusal:
        return found
    expect = case.expect
    wanted = expect.get("status", 200)
    if answer.status not in (wanted if isinstance(wanted, list) else [wanted]):
        return [*found, f"status: {answer.status or 'none'} instead of {wanted}"]
    if not answer.complete and not expect.get("cut"):
        found.append("http: the body is cut off")
    if answer.complete and expect.get("cut") == "must":
        found.append("cut: a part of the body looks like the whole")
    if expect.get("crlf") and not answer.crlf:
        found.append("crlf: a line of the header ends in LF alone")
    if "reason" in expect:
        found += differ("reason", expect["reason"], answer.reason, names)
    for name, value in expect.get("fields", {}).items():
        values = answer.values(name)
        seen = values if isinstance(value, list) else ", ".join(values) if values else None
        found += differ(name, value, seen, names)
    for what, content in (("body", answer.body), ("raw", answer.raw)):
        if what in expect:
            found += differ(what, sized(expect[what]), content.decode("latin-1"), names)
    return found + differences_seen(expect, answer, names)


def differences_seen(expect: dict[str, Any], answer: Answer, names: dict[str, str]) -> list[str]:
    """The differences of a body in JSON, as far as the case speaks of it."""
    if not {"json", "foreign", "same"} & set(expect):
        return []
    try:
        seen = json.loads(answer.body)
    except ValueError:
        return [f"body: no JSON but {shown(answer.body.decode('latin-1'))}"]
    found = differ("", expect.get("json", {}), seen, names)
    if "foreign" in expect:  # names of variables that the pattern does not know
        odd = [name for name in seen["environ"] if not re.fullmatch(expect["foreign"], name)]
        found += [f"environ: has {', '.join(sorted(odd))}"] if odd else []
    if "same" in expect:  # a variable, and the field that says the same to the client, if any does
        name, field_name = expect["same"]
        told, values = seen["environ"].get(name), answer.values(field_name)
        if values and values != [told]:
            found.append(f"{name}: {shown(told)}, and {field_name}: {shown(', '.join(values))}")
    return found


def differ(what: str, wanted: Any, seen: Any, names: dict[str, str]) -> list[str]:
    """Compare: a str is exact, or a pattern after "~ "; true is set, false unset or empty."""
    if isinstance(wanted, dict):
        seen = seen if isinstance(seen, dict) else {}
        pairs = [(f"{what}.{key}".lstrip("."), key) for key in wanted]
        return [
            line for name, key in pairs for line in differ(name, wanted[key], seen.get(key), names)
        ]
    if wanted is True:
        return [] if seen is not None else [f"{what}: not set"]
    if wanted is False:
        return [] if seen in (None, "") else [f"{what}: {shown(seen)}"]
    if isinstance(wanted, str):
        if wanted.startswith("~ "):
            escaped = {name: re.escape(value) for name, value in names.items()}
            pattern = filled(wanted[2:], escaped)
            good = isinstance(seen, str) and re.fullmatch(pattern, seen, re.DOTALL) is not None
        else:
            wanted = filled(wanted, names)
            good = seen == wanted
    else:
        good = seen == wanted
    return [] if good else [f"{what}: {shown(seen)} instead of {shown(wanted)}"]


def round_trip(case: Case, answer: Answer, names: dict[str, str]) -> list[str]:
    """Ask for the script-URI that the variables give: they have to come out the same (R29)."""
    kept = ("SCRIPT_NAME", "PATH_INFO", "QUERY_STRING")
    first = json.loads(answer.body)["environ"]
    script, path, query = (first.get(name, "") for name in kept)
    target = quote((script + path).encode("utf-8", "surrogateescape"), safe=_PATH_SAFE)
    request = f"GET {target}{'?' if query else ''}{query} HTTP/1.1\nHost: {{host}}\n"
    again = send(request, "", names, case)
    if again.status != 200:
        return [f"script-URI: {again.status} for {target}"]
    second = json.loads(again.body)["environ"]
    return [
        f"{name}: {shown(second.get(name))} by the script-URI, {shown(first.get(name))} before"
        for name in kept
        if second.get(name, "") != first.get(name, "")
    ]


def shown(value: object) -> str:
    """A value, short and in ASCII."""
    if value is None:
        return "nothing"
    text = json.dumps(value)
    return text if len(text) <= 90 else f"{text[:90]}…"


def checks(found: list[str]) -> list[str]:
    """What differed, without how: what a server of another version still has in common."""
    return sorted({line.partition(": ")[0] for line in found})


@cache
def rules() -> dict[str, dict[str, Any]]:
    """The fifty rules (`rules.toml`), by their names in order."""
    return tomllib.loads((DATA / "rules.toml").read_text("utf-8"))


@cache
def servers() -> dict[str, dict[str, Any]]:
    """The servers (`servers.toml`), by their names in the order of the page."""
    return tomllib.loads((DATA / "servers.toml").read_text("utf-8"))


@cache
def table() -> dict[str, Any]:
    """What was recorded (`deviations.toml`): when, which versions, and the deviations."""
    return tomllib.loads((DATA / "deviations.toml").read_text("utf-8"))


@cache
def recorded() -> dict[tuple[str, str], dict[str, Any]]:
    """The recorded deviations by (case, server)."""
    return {
        (entry["case"], server): entry
        for entry in table()["deviation"]
        for server in entry["servers"]
    }


def applies(case: Case, server: str) -> bool:
    """Whether a case is for this server: the host's side needs a host, a password who asks for it."""
    if case.guarded:
        return bool(servers().get(server, {}).get("guards"))
    return case.side == "script" or servers().get(server, {}).get("host") != "none"
