"""A visitor of one program: what was asked, and what came.

curl asks, since it was not written for these tests. What is remembered has no field that the server
makes and no program, and nothing that is different in every answer.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from servers.curl import Answer, curl
from servers.server import Server

from .site import Site, attempt, last_line

#: What httpd and cgikit show of an error, where a program has said nothing.
OF_ITS_OWN = re.compile(
    rb"\A<!DOCTYPE HTML PUBLIC [^>]+>\n<html><head>\n<title>[45]\d\d "
    rb'|\A<!DOCTYPE html>\n<html lang="en"><head>.{1,120}<title>[45]\d\d '
)

#: Fields of the connection, and of the server that answers. That a body is whole, curl sees.
OF_THE_SERVER = {
    *(
        "accept-ranges",
        "connection",
        "content-length",
        "date",
        "keep-alive",
        "server",
        "server-timing",
    ),
    *("transfer-encoding", "upgrade"),
}


@dataclass(frozen=True)
class Seen:
    """One answer, or the outcome of a command, as it is compared: its parts by name."""

    parts: dict[str, str]


@dataclass
class Visit:
    """What a program is asked through one server. `directory` is the visitor's own."""

    server: Server
    site: Site
    directory: Path
    hide: tuple[str, ...] = ()
    seen: dict[str, Seen] = field(default_factory=dict)
    #: What is wrong even where everybody agrees: looked at for the reference.
    wrong: list[str] = field(default_factory=list)

    @property
    def base(self) -> str:
        """The URL of the directory of scripts, which ends with "/"."""
        return self.server.base_url

    def ask(
        self,
        name: str,
        path: str,
        *options: str,
        stdin: bytes = b"",
        status: int = 200,
        has: str = "",
    ) -> Answer | None:
        """Ask for a path by curl, and remember the answer under `name`; None if none came.

        `status` and `has`, a piece of the body, are what a program that works answers.
        """
        try:
            answer = curl(self.server.url(path), "--globoff", "--path-as-is", *options, stdin=stdin)
        except AssertionError as error:
            said = str(error).rpartition("curl: ")[2].strip()
            said = re.sub(r"\d+ milliseconds", "… milliseconds", said)
            self.remember(name, {"curl": said})
            self.wrong.append(f"{name}: {said}")
            return None
        parts = {"status": str(answer.status)}
        for key, values in sorted(answer.headers.items()):
            if key not in OF_THE_SERVER:
                parts[key] = ", ".join(values)
        body = b"" if "--head" in options else answer.body  # where curl puts the header
        parts["body"] = body.decode("utf-8", "backslashreplace")
        if OF_ITS_OWN.match(body):
            parts = {"status": parts["status"], "body": "a page of the server's own"}
        self.remember(name, parts)
        if answer.status != status or has not in parts["body"]:
            self.wrong.append(f"{name}: {answer.status}, {parts['body'][:300]!r}")
        return answer

    def do(self, name: str, *command: str | Path, fails: bool = False) -> str:
        """Run a client of the program's own; remember how it ended, and, if badly, what it said."""
        done = attempt(*command, cwd=self.directory, home=self.directory)
        output = done.stdout.decode(errors="replace")
        said = last_line(output) if done.returncode else ""
        self.remember(name, {"exit": str(done.returncode), "said": said})
        if bool(done.returncode) != fails:
            self.wrong.append(f"{name}: exited with {done.returncode}: {output[-600:]}")
        return output

    def output(self, *command: str | Path) -> bytes:
        """What a command prints that only looks."""
        return attempt(*command, cwd=self.directory, home=self.directory).stdout

    def cookie(self, name: str) -> str:
        """The value of a cookie in the visitor's jar, a file of curl's; "" if there is none."""
        for line in (self.directory / "jar").read_text().splitlines():
            fields = line.split("\t")
            if len(fields) == 7 and fields[5] == name:
                return fields[6]
        return ""

    def note(self, name: str, holds: bool) -> None:
        """Remember whether something holds, as it should."""
        self.remember(name, {"is": "yes" if holds else "no"})
        if not holds:
            self.wrong.append(name)

    def remember(self, name: str, parts: dict[str, str]) -> None:
        """Keep the parts, without what differs from one way to another by its nature."""
        assert name not in self.seen, f"two requests have the name {name!r}"
        self.seen[name] = Seen({key: self.plain(value) for key, value in parts.items()})

    def plain(self, text: str) -> str:
        """`text` with the same address and directory as everywhere, and without what is hidden."""
        address = urlsplit(self.base)
        text = text.replace(str(self.site.root), "/SITE")
        text = text.replace(f"{address.hostname}:{address.port}", "HOST:PORT")
        return hidden(text, self.hide)


def hidden(text: str, patterns: Iterable[str]) -> str:
    """`text` with "…" for each group of each match of a pattern, or for the match if it has none."""
    for pattern in patterns:
        text = re.sub(pattern, _without, text)
    return text


def _without(match: re.Match[str]) -> str:
    if not match.re.groups:
        return "…"
    whole, start = match[0], match.start()
    for group in range(match.re.groups, 0, -1):
        if match[group] is not None:
            whole = whole[: match.start(group) - start] + "…" + whole[match.end(group) - start :]
    return whole
