"""The address at which `cgikit serve` listens, and what it says of it."""

import errno
import socket

import pytest

from cgikit.cli.listening import announced, bare, here, listen, why


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000/"),
        ("::1", "http://[::1]:8000/"),
        ("0.0.0.0", "http://127.0.0.1:8000/"),
        ("::", "http://[::1]:8000/"),
        ("192.0.2.7", "http://192.0.2.7:8000/"),
        ("2001:db8::7", "http://[2001:db8::7]:8000/"),
    ],
)
def test_the_url_that_is_printed_can_be_opened(address: str, url: str) -> None:
    """For --host 0.0.0.0 it was http://0.0.0.0:8000/, without a word on who else can come."""
    *warning, serving = announced("cgi-bin", address, 8000)
    ours = address in {"127.0.0.1", "::1"}
    stops = "(Ctrl-C stops; /_cgikit/ shows the requests)" if ours else "(Ctrl-C stops)"
    assert here(address, 8000) == url
    assert serving == f"Serving cgi-bin at {url} {stops}"
    assert len(warning) == (not ours)
    for line in warning:
        assert line.startswith("Warning: everyone who can reach this machine")
        assert (":8000/" in line) == (address in {"0.0.0.0", "::"})
        assert "0.0.0.0" not in line
        assert "[::]" not in line


def test_a_free_port_is_taken_for_0_and_a_taken_one_is_explained() -> None:
    with listen("127.0.0.1", 0) as one:
        port = one.getsockname()[1]
        assert port > 0
        with pytest.raises(OSError) as caught:
            listen("127.0.0.1", port)
    assert caught.value.errno == errno.EADDRINUSE
    assert why(caught.value, port).endswith("; choose another --port")


@pytest.mark.parametrize(
    ("error", "port", "said"),
    [
        (PermissionError(errno.EACCES, "Permission denied"), 80, "only root may use ports below"),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), 80, "Name or service"),
        (UnicodeError("label too long"), 80, "label too long"),
    ],
)
def test_why_it_cannot_listen(error: OSError | UnicodeError, port: int, said: str) -> None:
    assert said in why(error, port)


def test_an_address_without_brackets() -> None:
    assert [bare(host) for host in ("[::1]", "::1", "localhost")] == ["::1", "::1", "localhost"]
