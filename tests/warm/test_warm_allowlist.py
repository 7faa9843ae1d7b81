"""Which variables of a web server a script gets."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from properties import any_texts
from requirement import need

from cgikit.warm.allowlist import (
    DROPPED,
    MAX_DROPPED,
    MAX_KNOWN,
    MAX_NAME,
    NEVER,
    PASSED,
    PASSED_UNLESS_EMPTY,
    Allowlist,
    complaint,
    is_obeyed,
    pattern,
)

DATA = Path(__file__).parents[1] / "data"
#: What servers send and scripts do not get from them: ours is right, or there is a better name.
REPLACED = {"PATH", "SCRIPT_FILENAME", "SCRIPT_NAME", "PATH_INFO", "PATH_TRANSLATED"}
OBEYED = [
    *("BASH_ENV", "ENV", "IFS", "PATH", "SHELLOPTS", "PS4", "BASHOPTS", "CDPATH", "LD_PRELOAD"),
    *("LD_LIBRARY_PATH", "LD_AUDIT", "DYLD_INSERT_LIBRARIES", "PYTHONPATH", "PYTHONWARNINGS"),
    *(
        "PYTHONHOME",
        "PERL5OPT",
        "PERL5LIB",
        "PERLLIB",
        "RUBYOPT",
        "RUBYLIB",
        "NODE_OPTIONS",
        "NODE_PATH",
    ),
    *("GCONV_PATH", "GIT_SSH_COMMAND", "GIT_CONFIG_COUNT", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS"),
    *(
        "PHPRC",
        "PHP_INI_SCAN_DIR",
        "LUA_INIT",
        "OPENSSL_CONF",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "HOME",
    ),
    *("EDITOR", "PAGER", "http_proxy", "https_proxy", "TMPDIR", "TCLLIBPATH", "GLIBC_TUNABLES"),
]


@pytest.mark.parametrize("protocol", ["fastcgi", "scgi"])
def test_what_the_web_servers_send_passes(protocol: str) -> None:
    """By what was recorded of each of them."""
    names: set[str] = set()
    for server in ("httpd", "nginx", "lighttpd", "caddy"):
        for file in (DATA / protocol).glob(f"{server}-*.json"):
            events = json.loads(file.read_text())["events"]
            names |= {name for event in events if event[0] == "RequestStarted" for name in event[2]}
    assert len(names) > 25
    allowed = Allowlist((), {"PATH": "/bin"})
    dropped = {name for name in names if not allowed[name]}
    assert dropped <= REPLACED | {
        "HTTP_CONTENT_TYPE",
        "HTTP_CONTENT_LENGTH",
        "HTTP_TRANSFER_ENCODING",
    }
    assert allowed.dropped == []  # nobody is told of what all servers do


def test_what_the_parameter_files_of_nginx_name_passes() -> None:
    need("nginx")
    allowed = Allowlist()
    for name in ("fastcgi_params", "fastcgi.conf", "scgi_params"):
        names = re.findall(r"(?m)^\w+_param\s+(\S+)", Path("/etc/nginx", name).read_text())
        assert len(names) > 10
        assert {name for name in names if not allowed[name]} <= REPLACED


@pytest.mark.parametrize("name", OBEYED)
def test_what_programs_obey_passes_by_its_own_name_only(name: str) -> None:
    assert is_obeyed(name)
    prefixes = [f"{name[:end]}*" for end in range(1, len(name) + 1)]
    assert Allowlist(prefixes)[name] == DROPPED
    allowed = Allowlist([name])
    assert allowed[name] == PASSED
    assert allowed.at_start == {name}
    assert "decide what code runs" in complaint(name)


@pytest.mark.parametrize(
    "name", ["BASH_FUNC_x%%", "A.B", "A-B", "A B", "1A", "É", "A\n", "", "A\udcff"]
)
def test_what_is_not_a_name_never_passes(name: str) -> None:
    allowed = Allowlist(["A*", "BASH_FUNC_x*", name])
    assert allowed[name] == DROPPED
    assert allowed.dropped == []
    with pytest.raises(ValueError, match="PREFIX_"):
        pattern(name)


def test_http_proxy_never_passes() -> None:
    """S2."""
    allowed = Allowlist([NEVER, "HTTP_*"])
    assert allowed[NEVER] == DROPPED
    assert allowed.dropped == []
    with pytest.raises(ValueError, match="any visitor"):
        pattern(NEVER)


@pytest.mark.parametrize(
    "name",
    [
        "HTTP_AUTHORIZATION",
        "HTTP_CONTENT_LENGTH",
        "HTTP_CONTENT_TYPE",
        "HTTP_PROXY_AUTHORIZATION",
        "HTTP_TRANSFER_ENCODING",
    ],
)
def test_what_is_the_servers_own_passes_by_its_own_name_only(name: str) -> None:
    """R37."""
    for spelt in (name, name.replace("AUTH", "auth").replace("CONTENT", "Content")):
        assert Allowlist(["HTTP_*"])[spelt] == DROPPED
        assert Allowlist([spelt])[spelt] == PASSED


def test_families_and_names() -> None:
    allowed = Allowlist(["OIDC_*", "OWN"], {"LANG": "C", "OWN_TOO": "1"})
    passed = ["HTTP_X", "HTTP_lower", "REDIRECT_LD_PRELOAD", "SSL_CLIENT_S_DN", "OIDC_CLAIM", "OWN"]
    assert {allowed[name] for name in passed} == {PASSED}
    assert [allowed[name] for name in ("HTTPS", "REMOTE_USER")] == [PASSED_UNLESS_EMPTY] * 2
    dropped = ["OWN_TOO", "OTHER", "LANG", "SCRIPT_FILENAME", "OIDC", "CGIKIT_DEBUG", "http_x"]
    assert {allowed[name] for name in dropped} == {DROPPED}
    assert allowed.dropped == ["OTHER", "OIDC", "CGIKIT_DEBUG", "http_x"]
    assert allowed.at_start == frozenset()


@pytest.mark.parametrize("text", ["A", "_a1", "OIDC_*", "A*"])
def test_options(text: str) -> None:
    assert pattern(text) == text


@given(any_texts)
def test_an_option_is_a_name_or_an_error(text: str) -> None:
    try:
        found = pattern(text)
    except ValueError:
        found = ""
    assert found in ("", text)
    assert not found or re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*\*?", found)


@given(any_texts)
def test_a_verdict_does_not_depend_on_what_is_remembered(name: str) -> None:
    allowed = Allowlist(["A*"])
    assert allowed[name] == allowed[name] == Allowlist(["A*"])[name]


def test_memory_is_bounded() -> None:
    allowed = Allowlist()
    for number in range(3 * MAX_KNOWN):
        assert allowed[f"HTTP_X{number}"] == PASSED
        assert allowed[f"X{number}"] == DROPPED
    assert allowed["HTTP_" + "X" * MAX_NAME] == PASSED
    assert len(allowed) == MAX_KNOWN
    assert len(allowed.dropped) == MAX_DROPPED
    assert max(map(len, allowed)) <= MAX_NAME
