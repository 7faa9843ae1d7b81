"""Text that came as bytes: a script gets exactly the bytes that were sent, on every front end.

Behind nginx's stock `scgi_params`, which sends neither SCRIPT_NAME nor PATH_INFO, the raw bytes of a
"€" in a URL ended the worker, and those of an "é" reached the script as another byte; a local redirect
to "?q=é" arrived as "q=Ã©". The kind: one piece of code takes text for ISO-8859-1 and another one for
what `os.fsdecode` makes. So the places that convert are listed here, and all ways in are tried with all
bytes.
"""

import ast
import itertools
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote_from_bytes

import house
import pytest
from gatewayserving import FIRST_LINE, Gateway, encode, gateway
from hypothesis import given
from hypothesis import strategies as st
from servers.rawhttp import exchange
from serving import serve
from stock import stock_nginx

from cgikit.gateway.wire import native
from cgikit.host.native import unescaped
from cgikit.host.path import segments, url_path
from cgikit.host.problem import Problem

PACKAGE = Path(__file__).parents[2] / "cgikit"

# --- the places -------------------------------------------------------------------------------

#: Every place between a server and a script that makes text of bytes or bytes of text by ISO-8859-1 or
#: as file names are, and what it converts. Text inside the host is native: see `host/native.py`.
PLACES = {
    "gateway.fastcgi:parse_variables": "variables come in; `checked` makes them native",
    "gateway.fastcgi:build_variables": "native variables go out",
    "gateway.listener:_name": "the path of a socket",
    "gateway.listener:_listen_unix": "the path of a socket",
    "gateway.scgi:parse_variables": "variables come in; `checked` makes them native",
    "gateway.scgi:build_variables": "native variables go out",
    "gateway.wire:native": "the one conversion of ISO-8859-1 text",
    "host.diagnosis:_isolating_option": "a script's first line, to read its options",
    "host.execlimits:_size": "how many bytes it is",
    "warm.header:Header.feed": "a native target goes out to the web server",
    "warm.header:written_block": "a header block goes out as it came in",
    "host.output:_text": "a header block comes in, and stays ISO-8859-1",
    "host.output:_shown": "a line of it, to show",
    "host.path:segments": "decoded escapes become a native name",
    "host.path:url_path": "a native path becomes escapes",
    "warm.program:Programs._why_not": "a script's first line, to look at",
    "host.native:unescaped": "escapes become bytes",
    "host.argv:query_arguments": "decoded escapes become a native word",
    "warm.surroundings:_is_kernels": "the path of a file, to look at",
    "warm.rehearsal:rehearse": "variables of our own",
}


def conversions(source: str) -> Iterator[str]:
    """The names of the functions that convert, with their classes."""
    for place, node in house.nodes(ast.parse(source)):
        if isinstance(node, ast.Call) and _converts(node):
            yield place


def _converts(call: ast.Call) -> bool:
    name = house.called(call)
    codecs = [a.value for a in call.args if isinstance(a, ast.Constant)]
    latin = {"latin-1", "latin1", "iso-8859-1", "iso8859-1"}
    return name in {"fsencode", "fsdecode"} or (
        name in {"encode", "decode"} and any(str(c).lower() in latin for c in codecs)
    )


def test_text_and_bytes_are_converted_in_the_places_that_are_listed_and_nowhere_else() -> None:
    found = set()
    for room in ("gateway", "host", "warm"):
        for file in sorted((PACKAGE / room).glob("*.py")):
            found |= {f"{room}.{file.stem}:{name}" for name in conversions(file.read_text())}
    assert found == set(PLACES)


@pytest.mark.parametrize(
    "source",
    [
        "def f(x): return x.encode('latin-1')",
        "def f(x): return [y.decode('ISO-8859-1') for y in x]",
        "def f(x): return os.fsdecode(x)",
        "def f(x):\n    from os import fsencode\n    return map(lambda y: fsencode(y), x)",
    ],
)
def test_a_new_place_is_found(source: str) -> None:
    assert set(conversions(source)) == {"f"}


# --- the bytes --------------------------------------------------------------------------------

ODD = [
    b"\xe2\x82\xac",  # the euro sign, whose bytes are no ISO-8859-1 text once they are native
    b"\xc3\xa9",  # é
    b"\xe9",  # é in ISO-8859-1
    b"\xc3\x83\xc2\xa9",  # é that somebody took for ISO-8859-1
    b"\xc0\xaf\xe0\x80\xaf",  # overlong slashes
    b"\xed\xa0\x80",  # a lone surrogate
    b"\xed\xb3\xa9",  # the surrogate that stands for the byte E9
    b"\xf0\x9f\x90\x8d",  # four bytes
    b"\xf0\x9f\x90",  # three of them
    b"\xf4\x90\x80\x80",  # beyond Unicode
    b"\xef\xbb\xbf\xfe\xff",  # byte order marks
    b"\xe2\x80\xa8\xc2\x85\x85\xa0",  # line ends and spaces of Unicode and of ISO-8859-1
]


def pairs(alphabet: bytes) -> bytes:
    """All pairs of the bytes of an alphabet, one after the other."""
    return b"".join(bytes(pair) for pair in itertools.product(alphabet, repeat=2))


def pieces(alphabet: bytes, size: int = 15_000) -> list[bytes]:
    """The odd sequences, then all pairs of bytes that may be there, in pieces that a variable holds."""
    whole = pairs(alphabet)
    odd = [bytes(b for b in text if b in alphabet) for text in ODD]
    return [*odd, b"x".join(odd), *(whole[at : at + size] for at in range(0, len(whole), size))]


ANY = bytes(range(1, 256))  # all that a variable can hold
SEGMENT = bytes(b for b in ANY if b != ord("/"))
HIGH = bytes(range(0x80, 256))  # where the two forms of text differ
#: What may stand unescaped in a URL without meaning something else
RAW = bytes(b for b in range(0x21, 256) if b not in b'#?%/\x7f"<>\\^`{|}')

#: No import that a worker would learn, and be replaced for
ECHO = """\
import os, sys
seen = [dict(os.environb), [os.fsencode(word) for word in sys.argv[1:]]]
sys.stdout.write("Content-Type: text/plain\\n\\n" + repr(seen))
"""

REDIRECT = """\
import os, sys
sys.stdout.buffer.write(b"Location: " + bytes.fromhex(os.environ["QUERY_STRING"][2:]) + b"\\n\\n")
"""


class Seen:
    """What a script saw of a request, in bytes."""

    def __init__(self, body: bytes) -> None:
        self.variables, self.words = ast.literal_eval(body.decode())

    def __getitem__(self, name: str) -> bytes:
        value: bytes = self.variables[name.encode()]
        return value


def place(root: Path) -> Path:
    """A root with both scripts, and the first of them below names that are not ASCII, too."""
    root.mkdir()
    for name, source in ((b"echo.py", ECHO), (b"to.py", REDIRECT)):
        write(root, name, source)
    for name in (b"\xe2\x82\xac.py", b"\xc3\xa9.py", b"\xff\xe9.py", b"\xed\xa0\x80.py"):
        write(root, name, ECHO)
    return root


def write(root: Path, name: bytes, source: str) -> None:
    path = bytes(root) + b"/" + name
    with open(path, "wb") as file:
        file.write(f"{FIRST_LINE}{source}".encode())
    Path(native(path.decode("latin-1"))).chmod(0o755)


# --- FastCGI and SCGI -------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["fastcgi", "fastcgi --spawn", "scgi"])
def peer(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    protocol, *options = request.param.split()
    root = place(tmp_path_factory.mktemp("peer") / "root")
    with gateway(protocol, root, "--workers", "1", "--prefix", "/bin", *options) as server:
        (worker,) = server.workers()
        yield server
        assert server.workers() == [worker], "the worker has ended"


def text(raw: bytes) -> str:
    return native(raw.decode("latin-1"))


def seen(server: Gateway, path: bytes, **more: bytes) -> Seen:
    """Ask as a web server that has split and decoded the path."""
    answer = server.request(text(b"/bin" + path), **{name: text(raw) for name, raw in more.items()})
    assert answer.status == 200, answer
    return Seen(answer.body)


def seen_by_uri(server: Gateway, uri: bytes) -> Seen:
    """Ask as nginx does with its stock `scgi_params`: nothing says which part is the script."""
    variables = server.variables("/")
    del variables["SCRIPT_NAME"]
    variables["REQUEST_URI"] = text(b"/bin" + uri)
    with server.connect() as connection:
        answer = connection.ask(variables)
    assert answer.status == 200, answer
    return Seen(answer.body)


def test_every_byte_of_a_path_that_the_web_server_has_decoded(peer: Gateway) -> None:
    for raw in pieces(SEGMENT):
        found = seen(peer, b"/echo.py/" + raw)
        assert found["PATH_INFO"] == b"/" + raw
        assert found["PATH_TRANSLATED"].endswith(b"/" + raw)


def test_every_byte_of_a_query_a_field_and_a_value(peer: Gateway) -> None:
    for raw in pieces(ANY):
        value = b"=" + raw
        found = seen(peer, b"/echo.py", QUERY_STRING=value, HTTP_X=value, REMOTE_USER=value)
        assert (found["QUERY_STRING"], found["HTTP_X"], found["REMOTE_USER"]) == (value,) * 3


def test_every_byte_of_a_path_that_comes_in_request_uri_alone(peer: Gateway) -> None:
    for raw in pieces(RAW):
        assert seen_by_uri(peer, b"/echo.py/" + raw)["PATH_INFO"] == b"/" + raw
    for raw in pieces(SEGMENT):
        escaped = quote_from_bytes(raw, safe="").encode()
        found = seen_by_uri(peer, b"/echo.py/" + escaped)
        assert found["PATH_INFO"] == b"/" + raw
        assert found["REQUEST_URI"] == b"/bin/echo.py/" + escaped


def test_every_byte_of_a_local_redirect(peer: Gateway) -> None:
    for raw in pieces(RAW, 3_000):
        target = b"/bin/echo.py/" + raw + b"?=" + raw
        found = seen(peer, b"/to.py", QUERY_STRING=b"t=" + target.hex().encode())
        assert found["PATH_INFO"] == b"/" + raw
        assert found["QUERY_STRING"] == b"=" + raw
        assert found["REQUEST_URI"] == target


def test_every_byte_of_the_command_line(peer: Gateway) -> None:
    for raw in pieces(bytes(b for b in ANY if b != ord("-"))):
        escaped = quote_from_bytes(raw, safe="").encode()
        assert seen(peer, b"/echo.py", QUERY_STRING=escaped).words == [raw]
    for raw in pieces(HIGH):
        assert seen(peer, b"/echo.py", QUERY_STRING=raw + b"+" + raw).words == [raw, raw]


def test_scripts_whose_names_are_not_ascii(peer: Gateway) -> None:
    for name in (b"\xe2\x82\xac.py", b"\xc3\xa9.py", b"\xff\xe9.py", b"\xed\xa0\x80.py"):
        escaped = quote_from_bytes(name).encode()
        for found in (
            seen(peer, b"/" + name),
            seen_by_uri(peer, b"/" + name),
            seen_by_uri(peer, b"/" + escaped),
            seen(peer, b"/to.py", QUERY_STRING=b"t=" + (b"/bin/" + name).hex().encode()),
        ):
            assert found["SCRIPT_NAME"] == b"/bin/" + name


def test_the_raw_bytes_of_a_euro_sign_without_a_script_name_are_a_404(peer: Gateway) -> None:
    for raw in ODD:
        variables = peer.variables("/") | {"REQUEST_URI": text(b"/bin/" + raw)}
        del variables["SCRIPT_NAME"]
        with peer.connect() as connection:
            assert connection.ask(variables).status == 404
    # And the `peer` fixture says that it is the same worker still


@pytest.mark.parametrize("uri", ["/bin/echo.py/%00", "/bin/%zz", "/bin/a%2fb", "/..", "*", ""])
def test_a_request_uri_that_names_no_path_is_refused(peer: Gateway, uri: str) -> None:
    variables = peer.variables("/") | {"REQUEST_URI": uri}
    del variables["SCRIPT_NAME"]
    with peer.connect() as connection:
        assert connection.ask(variables).status in (400, 404)


def test_what_no_environment_can_hold_ends_its_own_connection(peer: Gateway) -> None:
    hostile = [("=C:", "x"), ("A=B", "x"), ("", "x")]
    if peer.protocol == "fastcgi":  # in SCGI a NUL is what separates
        hostile += [("HTTP_X", "a\0b"), ("HTTP_\0", "a")]
    for name, value in hostile:
        variables = peer.variables("/bin/echo.py") | {name: value}
        with peer.connect() as connection:
            connection.socket.sendall(encode(peer.protocol, variables, b""))
            assert connection.receive() == b""
        assert seen(peer, b"/echo.py")["SCRIPT_NAME"] == b"/bin/echo.py"


# --- HTTP -------------------------------------------------------------------------------------

Ask = Callable[[bytes], bytes]


@pytest.fixture(scope="module", params=["serve", "serve --warm"])
def http(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """A function that sends a request's head to `cgikit serve` and returns the answer."""
    root = place(tmp_path_factory.mktemp("serve") / "root")
    with serve(root, *request.param.split()[1:]) as server:
        yield lambda head: exchange("127.0.0.1", server.port, head)


def got(ask: Ask, target: bytes, *fields: bytes) -> Seen:
    lines = [b"GET " + target + b" HTTP/1.0", b"Host: localhost", *fields]
    head, _, body = ask(b"\r\n".join([*lines, b"", b""])).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.0 200 "), head
    return Seen(body)


def test_every_byte_of_a_path(http: Ask) -> None:
    for raw in pieces(SEGMENT):
        escaped = quote_from_bytes(raw, safe="").encode()
        assert got(http, b"/echo.py/" + escaped)["PATH_INFO"] == b"/" + raw
    for raw in pieces(RAW):
        assert got(http, b"/echo.py/" + raw)["PATH_INFO"] == b"/" + raw


def test_every_byte_of_a_query(http: Ask) -> None:
    """What is not ASCII comes escaped: waitress takes it in no other form."""
    for raw in pieces(RAW):
        found = got(http, b"/echo.py?=" + raw)
        assert unescaped(text(found["QUERY_STRING"])) == b"=" + raw
    for raw in pieces(SEGMENT):
        escaped = quote_from_bytes(raw, safe="").encode()
        found = got(http, b"/echo.py?=" + escaped)
        assert found["QUERY_STRING"] == b"=" + escaped
        if not raw.startswith(b"-"):
            assert got(http, b"/echo.py?" + escaped).words == [raw]


def test_every_byte_of_a_field(http: Ask) -> None:
    for raw in pieces(bytes(range(0x21, 0x7F)) + HIGH):
        assert (
            got(http, b"/echo.py", b"X-Field: a" + raw + b"z")["HTTP_X_FIELD"] == b"a" + raw + b"z"
        )


def test_every_byte_of_a_local_redirect_by_http(http: Ask) -> None:
    for raw in pieces(RAW, 3_000):
        target = b"/echo.py/" + raw + b"?=" + raw
        found = got(http, b"/to.py?t=" + target.hex().encode())
        assert (found["PATH_INFO"], found["QUERY_STRING"]) == (b"/" + raw, b"=" + raw)
        assert found["REQUEST_URI"] == target


def test_scripts_whose_names_are_not_ascii_by_http(http: Ask) -> None:
    for name in (b"\xe2\x82\xac.py", b"\xc3\xa9.py", b"\xff\xe9.py", b"\xed\xa0\x80.py"):
        for target in (name, quote_from_bytes(name).encode()):
            assert got(http, b"/" + target)["SCRIPT_NAME"] == b"/" + name


@pytest.mark.parametrize("target", [b"/echo.py/%00", b"/%zz", b"/.."])
def test_a_target_that_names_no_path_is_refused(http: Ask, target: bytes) -> None:
    answer = http(b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")


# --- the functions ----------------------------------------------------------------------------


@given(st.binary())
def test_escapes_stand_for_the_bytes_they_were_made_of(raw: bytes) -> None:
    assert unescaped(quote_from_bytes(raw, safe="")) == raw
    assert unescaped(text(raw.replace(b"%", b""))) == raw.replace(b"%", b"")


@given(st.binary())
def test_any_path_is_segments_or_a_problem(raw: bytes) -> None:
    with suppress(Problem):
        names, slash = segments(text(b"/" + raw))
        again = "/" + "/".join(names) + ("/" if slash and names else "")
        assert segments(url_path(again)) == (names, slash)


# --- a real web server ------------------------------------------------------------------------


def test_behind_nginx_with_its_own_parameters(peer: Gateway, tmp_path: Path) -> None:
    """With FastCGI they have SCRIPT_NAME, decoded; with SCGI there is REQUEST_URI alone, as it came."""
    with stock_nginx(tmp_path, peer) as port:

        def get(target: bytes) -> bytes:
            head = (
                b"GET "
                + target
                + b" HTTP/1.0\r\nHost: localhost\r\nX-Field: "
                + field
                + b"\r\n\r\n"
            )
            return exchange("127.0.0.1", port, head)

        for raw in ODD:
            field = b"a" + raw + b"z"
            for sent in (raw, quote_from_bytes(raw).encode()):
                body = get(b"/bin/echo.py/" + sent + b"?=" + sent).partition(b"\r\n\r\n")[2]
                found = Seen(body)
                assert found["PATH_INFO"] == b"/" + raw
                assert found["QUERY_STRING"] == b"=" + sent
                assert found["HTTP_X_FIELD"] == field
            assert get(b"/" + raw).startswith(b"HTTP/1.1 404 ")
