"""Which variables of a web server a script gets, by their names: RFC 3875 section 4.1 and more.

Variables become the environment of a process, and programs run code that variables name: a shell reads
BASH_ENV, the loader LD_PRELOAD, Perl PERL5OPT. The root and whoever starts the gateway decide what
runs, not the peer (S25). So a name passes if a standard or a well-known server gives it a
meaning, as in httpd's suEXEC, or if `--pass` names it. Pure, but for what is remembered of each name.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DROPPED, PASSED_UNLESS_EMPTY, PASSED = range(3)

#: The path that runs comes from the root, not from the peer (S25).
_OURS = frozenset({"PATH_INFO", "PATH_TRANSLATED", "SCRIPT_FILENAME", "SCRIPT_NAME"})
#: Empty says the same as absent (R2), but some programs only look whether they are there.
_NEVER_EMPTY = frozenset(
    {"AUTH_TYPE", "CONTENT_LENGTH", "CONTENT_TYPE", "HTTPS", "REMOTE_IDENT", "REMOTE_USER"}
)
#: What RFC 3875 names, and what servers set beyond that: httpd (also by mod_include, mod_rewrite and
#: mod_http2), nginx (its `fastcgi_params` and `scgi_params`), lighttpd and Caddy.
KNOWN = frozenset(
    """
    AUTH_TYPE CONTENT_LENGTH CONTENT_TYPE GATEWAY_INTERFACE QUERY_STRING REMOTE_ADDR REMOTE_HOST
    REMOTE_IDENT REMOTE_USER REQUEST_METHOD SERVER_NAME SERVER_PORT SERVER_PROTOCOL SERVER_SOFTWARE
    CONTEXT_DOCUMENT_ROOT CONTEXT_PREFIX DATE_GMT DATE_LOCAL DOCUMENT_ARGS DOCUMENT_NAME
    DOCUMENT_PATH_INFO DOCUMENT_ROOT DOCUMENT_URI FCGI_ROLE H2PUSH H2_PUSH H2_PUSHED H2_PUSHED_ON
    H2_STREAM_ID H2_STREAM_TAG HTTP2 HTTPS LAST_MODIFIED QUERY_STRING_UNESCAPED REMOTE_PORT
    REQUEST_SCHEME REQUEST_URI SCGI SCRIPT_URI SCRIPT_URL SERVER_ADDR SERVER_ADMIN SERVER_SIGNATURE
    UNIQUE_ID
    """.split()
)
#: Header fields, variables from before an internal redirect, and those of the TLS connection.
_FAMILIES = ("HTTP_", "REDIRECT_", "SSL_")
# R37: what concerns the server alone, or has a meta-variable of its own. A script that checks passwords
# itself gets the first one with --pass.
_SERVERS_OWN = frozenset(
    {
        "HTTP_AUTHORIZATION",
        "HTTP_CONTENT_LENGTH",
        "HTTP_CONTENT_TYPE",
        "HTTP_PROXY_AUTHORIZATION",
        "HTTP_TRANSFER_ENCODING",
    }
)
#: Every server sends these: no need to log it.
_USUAL = _SERVERS_OWN - {"HTTP_AUTHORIZATION"}
#: Any visitor can send it, and every HTTP client that the script starts would obey it (S2).
NEVER = "HTTP_PROXY"
#: Loaders, shells and interpreters take code, or its location, from these. No pattern passes them.
_OBEYED = frozenset(
    """
    ALL_PROXY CDPATH CLASSPATH EDITOR ENV FPATH FTP_PROXY GCONV_PATH GLOBIGNORE HOME HOSTALIASES
    HTTPS_PROXY HTTP_PROXY IFS JDK_JAVA_OPTIONS LIBPATH LOCALDOMAIN LOCPATH NLSPATH NO_PROXY PAGER PATH
    PROMPT_COMMAND PS0 PS1 PS2 PS3 PS4 RES_OPTIONS SHELL SHELLOPTS SHLIB_PATH SSLKEYLOGFILE
    SSL_CERT_DIR SSL_CERT_FILE TERMCAP TERMINFO TMPDIR TZDIR VISUAL
    """.split()
)
_OBEYED_FAMILIES = (
    "BASH", "DOTNET_", "DYLD_", "ELECTRON_", "ERL_", "GEM_", "GIT_", "GLIBC_", "GUILE_", "JAVA_",
    "JULIA_", "KSH", "LD_", "LUA_", "MALLOC_", "NODE_", "NPM_", "OPENSSL_", "PERL", "PHP", "PYTHON",
    "RUBY", "R_", "TCL", "XDG_", "ZDOTDIR", "_JAVA_", "_RLD",
)  # fmt: skip
MAX_KNOWN = 2_000  # names whose verdict is kept: visitors can invent any number of header fields
MAX_NAME = 100  # characters of such a name
MAX_DROPPED = 100  # names that are reported as dropped


class Allowlist(dict[str, int]):
    """The verdict on each name: DROPPED, PASSED_UNLESS_EMPTY or PASSED.

    `passing` are names, or prefixes followed by "*", as `pattern` returns them; `base` holds the
    variables that every script gets, none of which a peer can replace. `.dropped` lists, each once, the
    names that were dropped and that `--pass` would pass; whoever writes the log empties it.
    """

    def __init__(
        self, passing: "Iterable[str]" = (), base: "Mapping[str, str] | None" = None
    ) -> None:
        self.base = base or {}
        names = list(passing)
        self._names = frozenset(name for name in names if not name.endswith("*"))
        self._families = (*_FAMILIES, *(name[:-1] for name in names if name.endswith("*")))
        #: Those of `passing` that an interpreter or a loader reads when it starts.
        self.at_start = frozenset(filter(is_obeyed, self._names))
        self.dropped: list[str] = []
        self._count = 0

    def __missing__(self, name: str) -> int:
        possible = _is_name(name) and name != NEVER and name not in _OURS and name not in self.base
        passes = possible and (name in self._names or self._is_allowed(name))
        verdict = DROPPED
        if passes:
            verdict = PASSED_UNLESS_EMPTY if name in _NEVER_EMPTY else PASSED
        if len(name) <= MAX_NAME and len(self) < MAX_KNOWN:
            self[name] = verdict
            if possible and not passes and name not in _USUAL and self._count < MAX_DROPPED:
                self._count += 1
                self.dropped.append(name)
        return verdict

    def _is_allowed(self, name: str) -> bool:
        if name.upper() in _SERVERS_OWN or is_obeyed(name):
            return False
        return name in KNOWN or name.startswith(self._families)


def pattern(text: str) -> str:
    """Return a name, or the beginning of names followed by "*", as `--pass` takes it (str).

    `ValueError` for anything else, and for HTTP_PROXY; the message says what to do.
    """
    name = text.removesuffix("*")
    if not _is_name(name):
        raise ValueError(
            f"{text!r} is not the name of a variable: write NAME, or PREFIX_* for all that begin so"
        )
    if name != text and is_obeyed(name):
        raise ValueError(
            f"{text!r} passes nothing: programs take code, or the place of code, from variables that"
            " begin so; name each of them whole"
        )
    if text == NEVER:
        raise ValueError(
            f"{NEVER} is never passed: any visitor can set it, and it would redirect the scripts' own"
            " requests"
        )
    return text


def complaint(name: str) -> str:
    """Return the log line for a name that was dropped (str)."""
    trust = ", if what it says may decide what code runs" if is_obeyed(name) else ""
    return f"the web server sent {name}, which no script gets: --pass {name} would pass it{trust}"


def is_obeyed(name: str) -> bool:
    """Whether programs take code, or the location of code, from a variable of this name."""
    return name.upper() in _OBEYED or name.startswith(_OBEYED_FAMILIES)


def _is_name(text: str) -> bool:
    """Whether a name consists of letters, digits and underscores: a shell may run anything else."""
    return text.isascii() and text.isidentifier()
