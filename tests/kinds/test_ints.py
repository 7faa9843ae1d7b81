"""The kind: text from outside that becomes a number. `int` refuses more than 4,300 digits.

A Content-Length of 5,000 digits ended a connection without an answer. Every place that calls `int` with
something else than a constant is listed here, with what bounds it; a new one fails until it is.
"""

import ast
from collections.abc import Iterator

import house
import pytest

from cgikit import CGIError, MultiDict, accept, signing
from cgikit.environ import MetaVariables
from cgikit.filebody import parse_range
from cgikit.gateway.scgi import SCGI
from cgikit.gateway.wire import WireError
from cgikit.host.output import OutputParser
from cgikit.host.problem import Problem
from cgikit.host.wsgi import server_request

OURS = "a number that is ours, not a text"
ARGUMENT = "our own command line; argparse takes a ValueError for a wrong option"
#: module and function: what bounds the text, or why it is none.
PLACES = {
    ("", "_compiled"): "the time of a file",
    ("accelerate.child", "Child._run"): OURS,
    ("accelerate.inplace", "kept"): "4 and 19 digits",
    ("accelerate.daemon", "Daemon._pause"): OURS,
    ("accelerate.ledger", "Ledger.write_counts"): "12 digits",
    ("accelerate.daemon", "main"): "its front's command line",
    ("accelerate.message", "_number"): "9 digits",
    ("accelerate.records", "begin_waiting"): "8 digits",
    ("accept", "_thousandths"): "3 digits",
    ("cli.channel", "_Parser.received"): OURS,
    ("compat.cgi", "_length"): "18 digits",
    ("compression", "prepare"): "what `headers.check_fields` took: 18 digits",
    ("crash", "Begun.__init__"): "18 digits",
    ("cli.config.caddy", "_since"): "what a program of this machine says of its version",
    ("cli.gatewaycommand", "_mode"): ARGUMENT,
    ("cli.guarded", "turn"): OURS,
    ("cli.requesthead", "_request_line"): "one digit, by its pattern",
    ("cli.sessions", "_time"): "a float",
    ("cli.options", "number.checked"): "18 digits",
    ("cli.options", "port.checked"): "18 digits",
    ("counters", "Counter._number"): "its length is checked before",
    ("expiring", "ExpiringCounter.left"): OURS,
    ("expiring", "ExpiringCounters._now"): OURS,
    ("expiring", "ExpiringCounters._span"): OURS,
    ("expiringfile", "Layout.block_of"): "8 digits of a hash",
    ("expiringfile", "parse_line"): "13 and 10 digits, by where they stand",
    ("expiringfile", "read_layout"): "13 digits, by where they stand",
    ("lines", "_noted"): "of the 100 bytes that are read",
    ("compat.httpserver", "CGIHTTPRequestHandler._take_body"): "18 digits",
    ("dates", "_digits"): "12 digits",
    ("host.background", "_others"): "the kernel's numbers of processes",
    ("host.background", "_runs"): "what the kernel says of a process",
    ("host.spawn", "_processor_time"): "what the kernel says of a process",
    ("dates", "_moment_in_words"): "what `_digits` took",
    ("dates", "moment"): OURS,
    ("environ", "MetaVariables.content_length"): "18 digits",
    ("environ", "MetaVariables.protocol_version"): "10 digits",
    ("filebody", "FileBody.__init__"): OURS,
    ("filebody", "FileBody.select"): OURS,
    ("filebody", "is_strong"): OURS,
    ("filebody", "parse_range"): "18 digits",
    ("gateway.listener", "split_address"): "the first 6 digits are looked at before",
    ("gateway.scgi", "SCGI.receive"): "18 digits, checked by `parse_variables`",
    ("gateway.scgi", "_check_size"): "7 bytes are looked at",
    ("signing", "sign"): OURS,
    ("signing", "unsign"): "12 digits",
    ("warm.arrival", "announced_length"): "18 digits",
    ("host.output", "NPHParser._line"): "3 digits, by its pattern",
    ("host.output", "OutputParser._checked"): "18 digits, by its pattern",
    ("host.output", "OutputParser._status"): "3 digits, by its pattern",
    ("host.output", "ScriptResponse.content_length"): "what `_checked` took",
    ("inspector.application", "Inspector._found"): "9 digits, by its pattern",
    ("inspector.recorder", "watched.start"): "what the host says: 3 digits",
    ("warm.interpreter", "limits"): OURS,
    ("warm.surroundings", "Surroundings.allow_time"): OURS,
    ("warm.worker", "main"): "its supervisor's command line",
    ("host.wsgi", "server_request"): "18 digits",
    ("warm.zygote", "main"): "its worker's command line",
    ("multidict", "MultiDict.getint"): "ValueError is a field that is not valid",
    ("persistent", "_number"): "the first 12 digits are looked at before",
    ("persistent.connection", "PersistentConnection._expected"): "18 digits",
    ("host.diagnosis", "crash_line"): "9 digits, by its pattern",
    ("probing.importtime", "dearest"): "12 digits, by its pattern",
    ("probing.judge", "_endless"): "9 digits, by its pattern",
    ("probing.reuse", "_children"): "process ids of the kernel's",
    ("process", "_drain_stdin"): "ValueError: nothing is drained",
    ("process", "end"): OURS,
    ("headers", "_length"): "18 digits",
    ("sessions.directory", "SessionDirectory._set_stamp"): OURS,
    ("sessions.file", "FileStore.touch"): OURS,
    ("sessions.redis", "RedisStore.save"): OURS,
    ("sessions.redislock", "RedisLock.__enter__"): OURS,
    ("sessions.session", "Session.mark"): OURS,
    ("testing.jar", "_end"): "12 digits",
    ("sessions.sessionfile", "write"): OURS,
    ("sessions.sqlite", "SQLiteStore.count"): OURS,
    ("tracing.asking", "Asked.status"): "3 digits",
    ("tracing.server", "main"): "a descriptor's number, from a process of ours",
    ("tracing.measure", "_Run._started"): "60 bytes, of a process of ours",
    ("tracing.story", "_number"): "19 digits",
    ("tracing.text", "_bar"): OURS,
    ("upload", "_umask"): "the kernel's",
    ("bundle.target", "_supported"): "2 and 3 digits",
    ("url", "split_host"): "5 digits",
}

DIGITS = "9" * 5_000


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Every call of `int` with something other than a constant, and the function it is in."""
    for place, node in house.nodes(tree):
        is_int = isinstance(node, ast.Call) and house.written(node.func) == "int"
        if is_int and node.args and not isinstance(node.args[0], ast.Constant):
            yield place, node


def test_every_int_of_a_text_is_bounded() -> None:
    found = {(module.name, name) for module in house.read() for name, _ in calls(module.tree)}
    assert found - set(PLACES) == set()


def test_a_new_place_is_found() -> None:
    (found,) = calls(ast.parse("class A:\n    def b(self, c):\n        return int(c)"))
    assert found[0] == "A.b"


def test_5000_digits_are_a_refusal_everywhere() -> None:
    environ = {"CONTENT_LENGTH": DIGITS, "SERVER_PROTOCOL": f"HTTP/{DIGITS}.1"}
    variables = MetaVariables(environ)
    assert variables.protocol_version == (1, 0)
    assert variables.content_length == 10**18
    assert signing.unsign("a", f"1.{DIGITS}.0.b", "k" * 32, 0, max_age=None) is None
    with pytest.raises(CGIError):
        MultiDict([("n", DIGITS)]).getint("n")
    assert parse_range(f"bytes={DIGITS}-", 10) is None
    assert accept.types(f"a/b;q={DIGITS}, c/d;q=0.{DIGITS}", ["a/b", "c/d"]) == "c/d"
    with pytest.raises(Problem):
        OutputParser().feed(f"Status: {DIGITS}\n\n".encode())
    with pytest.raises(Problem):
        OutputParser().feed(f"Content-Type: a/b\nContent-Length: {DIGITS}\n\n".encode())
    with pytest.raises(WireError):
        SCGI().receive(DIGITS.encode())
    block = f"CONTENT_LENGTH\0{DIGITS}\0SCGI\x001\0"
    with pytest.raises(WireError):
        SCGI().receive(f"{len(block)}:{block},".encode())
    asked = {
        "REQUEST_METHOD": "POST",
        "CONTENT_LENGTH": DIGITS,
        "SERVER_NAME": "a",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
    }
    assert server_request(asked).content_length is None
