"""A request as a command to copy: for curl, and a line of shell that runs the script by hand.

Words are quoted as POSIX shells read them (`shlex`). A value with a control character is refused: what
is pasted into a terminal is obeyed as if it was typed. Bodies are written by `printf`, whose escapes
POSIX has. Pure; secrets are left out.
"""

import os
import shlex

from cgikit.maskedenviron import HIDDEN

from .exchange import Exchange, ScriptRun, Stream
from .hiding import Hiding

_MAX_BODY = 8_192  # bytes in a command; a larger body goes into a file
#: What a browser says about itself and its connection, and a command need not repeat.
_LEFT_OUT = frozenset(
    (
        "host",
        "content-length",
        "connection",
        "accept-encoding",
        "upgrade-insecure-requests",
        "priority",
    )
)

#: curl takes data together with --head for a mistake, and with --request HEAD it waits for the body
#: that the Content-Length of the answer announces: until the connection ends, if it is to ignore that.
_HEAD_WITH_BODY = ["--request", "HEAD", "--ignore-content-length", "--header", "Connection: close"]


class Command:
    """A command: `text`, or why there is none (`refused`); `notes` say what to do before using it."""

    def __init__(self, text: str = "", refused: str = "", notes: tuple[str, ...] = ()) -> None:
        self.text = text
        self.refused = refused
        self.notes = notes


class _Unsayable(Exception):
    """A value that no command may have."""


def as_curl(exchange: Exchange, hiding: Hiding) -> Command:
    """Return the command that sends the request to the server again."""
    request = exchange.request
    host = exchange.header("Host") or f"{request.server_name}:{request.server_port}"
    words = ["curl", "--globoff", "--path-as-is", "--include"]
    body = exchange.body
    notes: tuple[str, ...] = ()
    usual = "GET" if body is None else "POST"
    if request.method == "HEAD":
        words += ["--head"] if body is None else _HEAD_WITH_BODY
    elif request.method != usual:
        words += ["--request", request.method]
    words.append(hiding.target(f"{request.scheme}://{host}{request.target}"))
    for name, value in request.headers:
        if name.lower() not in _LEFT_OUT and not name.lower().startswith("sec-"):
            words += ["--header", _field(name, hiding.header(name, value))]
    if request.content_type or body is not None:
        words += ["--header", _field("Content-Type", hiding.text(request.content_type), ":")]
    try:
        source, option = "", "@-"
        if body is not None:
            if _is_large(body):
                option, notes = "@body", (_into_file(body),)
            else:
                source = _printf(hiding.data(body.kept, request.content_type)) + " | "
            words += ["--data-binary", option]
        return _command(source + _line(words), notes)
    except _Unsayable as error:
        return Command(refused=str(error))


def as_shell(run: ScriptRun, hiding: Hiding) -> Command:
    """Return the line of shell that runs the script as the server did, from its own directory."""
    variables = hiding.environment(dict(run.environment))
    directory, name = os.path.split(run.file)
    notes: tuple[str, ...] = ()
    try:
        source, after = "", " </dev/null"
        if run.has_body:
            kind = run.environment.get("CONTENT_TYPE", "")
            if _is_large(run.stdin):
                after, notes = " <body", (_into_file(run.stdin),)
            else:
                data = hiding.data(run.stdin.kept, kind)
                variables["CONTENT_LENGTH"] = str(len(data))
                source, after = _printf(data) + " | ", ""
        words = ["env", "-i", *(f"{name}={value}" for name, value in variables.items())]
        words += [*filter(None, [run.interpreter]), f"./{name}", *map(hiding.text, run.arguments)]
        line = f"cd {_line([directory])} && {source}{_line(words)}{after}"
        return _command(line, notes)
    except _Unsayable as error:
        return Command(refused=str(error))


def _command(text: str, notes: tuple[str, ...]) -> Command:
    if HIDDEN in text:
        notes = (*notes, f"Secrets are left out: put them in the places of {HIDDEN}.")
    return Command(text, notes=notes)


def _field(name: str, value: str, empty: str = ";") -> str:
    """Return a header field as curl takes it; one without a value ends in `empty`."""
    return f"{name}: {value}" if value else name + empty


def _is_large(body: Stream) -> bool:
    return body.is_cut or body.length > _MAX_BODY


def _into_file(body: Stream) -> str:
    return f"Put the body, {body.length:,} bytes, into a file named body first."


def _line(words: list[str]) -> str:
    for word in words:
        if not word.isprintable():
            name = word.partition("=")[0].partition(":")[0]
            what = name if name.isprintable() else "a name"
            raise _Unsayable(
                f"There is no command: {what[:80]} has a character that a terminal might obey."
            )
    return " ".join(map(shlex.quote, words))


def _printf(data: bytes) -> str:
    """Return the command that prints exactly these bytes (POSIX printf, `%b`)."""
    text = data.decode("ascii", "replace")
    if text.isprintable() and "\ufffd" not in text:
        return f"printf %s {shlex.quote(text)}"
    escaped = "".join(
        chr(byte) if 32 <= byte < 127 and byte != 92 else f"\\0{byte:03o}" for byte in data
    )
    return f"printf %b {shlex.quote(escaped)}"
