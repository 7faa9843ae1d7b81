"""Every codec that is asked for by a computed name, and everything else that Python remembers for ever.

`codecs.lookup` keeps each name that it was asked for, whether it knew it or not: names that clients
send must come from `charsets.find`, which has a list. The same goes for whatever else keeps what it was
once given. The tables list each place with the reason why what it keeps is bounded.
"""

import ast
import encodings
import io
import re
import sys
import warnings

import house
import pytest
from posting import field, multipart, post

from cgikit import CGIError, Request, Response

CHOSEN = "the name comes from charsets.find: one of a list"
PROGRAMMER = "the argument of the script's programmer"
NO_CODEC = "a method of cgikit's own, no codec"

#: Where a codec's name is not a constant, and why that is bounded.
COMPUTED = {
    "accelerate.child._new_stdin": "the encoding of standard input",
    "bundle.firstlines.prepared": "the encoding that Python itself has read a source in",
    "charsets.decoded": CHOSEN,
    "partheader.Lines._decode": CHOSEN,
    "querystring._decode_field": "the programmer's, or what charsets.of_page gives",
    "charsets.encoded": CHOSEN,
    "compat.cgi.FieldStorage._describe": PROGRAMMER,
    "compat.cgi.parse_multipart": PROGRAMMER,
    "compat.reading._read_parts": PROGRAMMER,
    "compat.reading.write": PROGRAMMER,
    "compat.tracebackpage.scanvars": NO_CODEC,
    "compat.temporary._opened": PROGRAMMER,
    "compat.temporary.temporary_file": PROGRAMMER,
    "compat.urlencoded.Rules._check": PROGRAMMER,
    "compat.urlencoded.Rules._pair": PROGRAMMER,
    "compat.urlencoded.Rules.text_pairs": PROGRAMMER,
    "cli.console.Console.print": "the encoding of the terminal",
    "cli.streams.can_write": "the encoding of a standard stream",
    "cli.sessions._kind": NO_CODEC,
    "cli.sessions._show": NO_CODEC,
    "sessions.session.Session._retire": NO_CODEC,
    "sessions.session.Session._take": NO_CODEC,
    "sessions.store.Store.purge_one": NO_CODEC,
    "sessions.users.mark_of": NO_CODEC,
    "migrate.source.Source._decoded": "the coding line of a program, one for each file of a command",
    "migrate.source.Source.encoded": "the same",
    "warm.requestfile.made": "the encoding of the file system",
    "probing.judge._meta": "what the script itself names, once in a command",
    "probing.judge._charset": "what the script itself names, once in a command",
    "streamed._encoded": NO_CODEC,
    "url._encoded": "what charsets.of_page gives",
    "url.changed_query": "what charsets.of_page gives",
    "testing.answer.Answer.text": CHOSEN,
}


#: Methods and functions that take a codec's name first.
CODEC_FIRST = {"decode", "encode", "getdecoder", "getencoder", "getreader", "getwriter"}


def computed_codecs(module: house.Module) -> set[str]:
    """The functions that name a codec by something else than a constant."""
    return {
        place
        for place, node in house.nodes(module.tree, module.name)
        if isinstance(node, ast.Call)
        and any(not isinstance(name, ast.Constant) for name in codec_names(node))
    }


def codec_names(call: ast.Call) -> list[ast.expr]:
    """What a call takes for the name of a codec."""
    function = house.written(call.func)
    method = function.rpartition(".")[2]
    names = [k.value for k in call.keywords if k.arg in {"encoding", "header_charset"}]
    if method in {
        "decode",
        "encode",
        "getdecoder",
        "getencoder",
        "getreader",
        "getwriter",
    } or function in {"codecs.lookup", "lookup"}:
        names += call.args[:1]
    elif function in {"str", "bytes", "bytearray"}:
        names += call.args[1:2]
    elif method in {"open", "TextIOWrapper", "iterdecode", "iterencode", "EncodedFile"}:
        names += call.args[1:2] if method != "open" else call.args[3:4]
    return names


MODULES = house.read()


def test_every_computed_codec_is_bounded() -> None:
    found = {place for module in MODULES for place in computed_codecs(module)}
    assert found == set(COMPUTED)


@pytest.mark.parametrize(
    "call",
    [
        "raw.decode(name)",
        "raw.decode(name, 'strict')",
        "text.encode(encoding=name)",
        "codecs.lookup(name)",
        "str(raw, name)",
        "bytes(text, name)",
        "open(file, encoding=name)",
        "open(file, 'r', -1, name)",
        "io.TextIOWrapper(raw, name)",
        "codecs.getdecoder(name)",
        "PushMultipartParser(b, header_charset=name)",
    ],
)
def test_a_computed_codec_is_found(call: str) -> None:
    assert computed_codecs(house.Module("m", f"def f():\n return {call}")) == {"m.f"}


@pytest.mark.parametrize(
    "call", ["raw.decode('utf-8', errors)", "raw.decode()", "open(name, 'rb')"]
)
def test_a_codec_by_its_own_name_is_none(call: str) -> None:
    assert computed_codecs(house.Module("m", call)) == set()


# --- other memories ---------------------------------------------------------------------------

#: Functions that keep their arguments, or make something that does.
REMEMBERS = re.compile(
    r"\b(?:sys\.intern|intern|warnings\.warn\w*|(?:functools\.)?(?:lru_)?cache|linecache\.\w+"
    r"|fnmatch\.\w+|locale\.\w+|gettext\.\w+|re\.\w+|ipaddress\.\w+|strptime|import_module"
    r"|mimetypes\.\w+)$"
)

#: Where one of them is given something that is not a constant, and why it stays bounded.
REMEMBERED = {
    "compat.tracebackpage._Frame._scan.reader": "sources on the stack, once, when a script ends",
    "debugframes.Frames.source": "sources of functions on the stack: as many as the script loaded",
    "fields.conversion.check_pattern": "the pattern that the script declares for a field",
    "fields.conversion._sized": "the pattern that the script declares for a field",
    "migrate.tree.Users.use": "one pattern for each file of a command",
    "cli.sessions._moment": "10,000 seconds, in a command that ends",
    "filebody.guess_type": "mimetypes keeps tables of its own, not the names that it is asked for",
}


def remembering(module: house.Module) -> set[str]:
    """The functions that hand something computed to what remembers it."""
    found = set()
    for place, node in house.nodes(module.tree, module.name):
        if isinstance(node, house.Definition) and any(
            REMEMBERS.search(house.written(d).partition("(")[0]) for d in node.decorator_list
        ):
            found.add(place)
        if isinstance(node, ast.Call):
            name = house.written(node.func)
            # Of re only the pattern is kept, the first argument.
            given = node.args[:1] if name.startswith("re.") else node.args
            if REMEMBERS.search(name) and not all(isinstance(g, ast.Constant) for g in given):
                found.add(place)
    return found


def test_everything_that_remembers_is_bounded() -> None:
    found = {place for module in MODULES for place in remembering(module)}
    assert found == set(REMEMBERED)


@pytest.mark.parametrize(
    "source",
    [
        "def f(): return sys.intern(name)",
        "def f(): return re.match(pattern, text)",
        "def f(): warnings.warn(f'{name} is odd')",
        "@functools.lru_cache(maxsize=None)\ndef f(): ...",
        "@cache\ndef f(): ...",
        "def f(): return linecache.getline(name, 1)",
    ],
)
def test_a_memory_is_found(source: str) -> None:
    assert remembering(house.Module("m", source)) == {"m.f"}


# --- counted ----------------------------------------------------------------------------------


def remembered() -> int:
    """How many things Python remembers of what it was asked for."""
    counted = len(encodings._cache) + len(sys.modules) + len(sys.path_importer_cache)  # type: ignore[attr-defined]
    counted += len(re._cache)  # type: ignore[attr-defined]
    for module in list(sys.modules.values()):
        counted += len(getattr(module, "__warningregistry__", ()) or ())
    return counted + len(getattr(warnings, "onceregistry", ()))


def text(number: int) -> object:
    return post(b"x", f"text/plain; charset=a{number}{'x' * 8_000}").text()


def short_name(number: int) -> object:
    return post(b"x", f"text/plain; charset=x{number}").text()


def part(number: int) -> object:
    one = field("a", b"x", f"Content-Type: text/plain; charset=p{number}")
    return post(multipart(one)).form


def everything_else(number: int) -> object:
    """Names, types, dates, cookies and fields that nobody has ever sent."""
    query = f"n{number}=10:00+Z{number}&d={number}-x"
    asked = Request(
        {
            "QUERY_STRING": query,
            "HTTP_COOKIE": f"c{number}={number}",
            f"HTTP_X_{number}": "1",
            "HTTP_HOST": f"h{number}.example",
            "HTTP_IF_MODIFIED_SINCE": f"{number} Jan 2020",
            "REMOTE_ADDR": f"{number}",
            "PATH_INFO": f"/{number}.t{number}",
        }
    )
    asked.cookies, asked.headers.get(f"X-{number}"), asked.url()
    for getter in (asked.query.getint, asked.query.getdate, asked.query.getdatetime):
        try:
            getter(f"n{number}")
        except CGIError:
            pass
    return Response("x", headers={f"X-{number}": "1"}, content_type=f"text/x{number}")


def echoed(number: int) -> object:
    made = Response("x", content_type=f"text/plain; charset=e{number}")
    try:
        made.send(io.BytesIO(), Request({}))
    except LookupError:
        pass
    return None


@pytest.mark.parametrize(
    "ask", [text, short_name, part, everything_else, echoed], ids=lambda ask: ask.__name__
)
def test_1_7_five_thousand_requests_leave_nothing_behind(ask) -> None:
    def asked(number: int) -> None:
        try:
            ask(number)
        except CGIError:
            pass

    for number in range(100):  # what is loaded with the first ones
        asked(number)
    before = remembered()
    for number in range(100, 5_100):
        asked(number)
    assert remembered() - before < 20
