"""docs/start/messages.md: what Apache, nginx, fcgiwrap and lighttpd say of each mistake in a script."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
from serving import until
from test_docs_messages import message, pieces, rows

from .fixtures import copy_scripts, fresh, readable_by_all
from .interpreter import Interpreter, server_user
from .printed import printed
from .rows import ROWS
from .server import Server
from .test_failing import ask


class Mistake(NamedTuple):
    """A script with a mistake: its text (`FOLDER`: it is a directory; None: there is none), its mode,
    and what each server's log says of it.
    """

    text: str | None
    said: dict[str, tuple[str, ...]]
    mode: int = 0o755


FOLDER = "/"
END_OF = "End of script output before headers: …"
CLOSED = "upstream prematurely closed FastCGI stdout while reading response header from upstream"
NO_SCRIPT = (
    "Cannot get script name, are DOCUMENT_ROOT and SCRIPT_NAME (or SCRIPT_FILENAME) set and is the "
    "script executable?"
)
INVALID = "AH02429: Response header name '…' contains invalid characters, aborting request"
STDERR = 'FastCGI sent in stderr: "…"'
CANNOT = "Cannot execute script (…)"
MOD_CGI, MOD_CGID, NGINX, LIGHTTPD = (
    "apache-mod_cgi", "apache-mod_cgid", "nginx-fcgiwrap", "lighttpd-cgi",
)  # fmt: skip

#: By the name of the script.
MISTAKES = {
    "silent": Mistake("#!/bin/sh\n", {MOD_CGI: (END_OF,), MOD_CGID: (END_OF,)}),
    "headless": Mistake(
        "#!/bin/sh\necho '<p>Hello</p>'\n",
        {
            MOD_CGI: ("malformed header from script '…': Bad header: …",),
            MOD_CGID: ("malformed header from script '…': Bad header: …",),
            NGINX: (CLOSED,),
        },
    ),
    "fails": Mistake(
        "#!/usr/bin/python3\nraise RuntimeError('oops')\n",
        {MOD_CGI: ("AH01215: stderr from …: …", END_OF), MOD_CGID: (END_OF,), NGINX: (STDERR, CLOSED)},
    ),
    "closed": Mistake(
        "#!/bin/sh\n",
        {
            MOD_CGI: ("(13)Permission denied: exec of '…' failed", END_OF),
            MOD_CGID: ("(13)Permission denied: AH01241: exec of '…' failed", END_OF),
            NGINX: (NO_SCRIPT,),
        },
        0o644,
    ),
    "misspelt": Mistake(
        "#!/usr/bin/pyton3\n",
        {
            MOD_CGI: ("(2)No such file or directory: exec of '…' failed", END_OF),
            MOD_CGID: ("(2)No such file or directory: AH01241: exec of '…' failed", END_OF),
            NGINX: (CANNOT,),
            LIGHTTPD: ("…: No such file or directory",),
        },
    ),
    "windows": Mistake(
        "#!/usr/bin/python3\r\n",
        {
            MOD_CGI: ("(2)No such file or directory: exec of '…' failed", END_OF),
            MOD_CGID: ("(2)No such file or directory: AH01241: exec of '…' failed", END_OF),
            NGINX: (CANNOT,),
            LIGHTTPD: ("…: No such file or directory",),
        },
    ),
    "lineless": Mistake(
        "print()\n",
        {
            MOD_CGI: ("(8)Exec format error: exec of '…' failed", END_OF),
            MOD_CGID: ("(8)Exec format error: AH01241: exec of '…' failed", END_OF),
            NGINX: (CANNOT,),
            LIGHTTPD: ("…: Exec format error",),
        },
    ),
    "spaced": Mistake(
        "#!/bin/sh\nprintf 'Content Type: text/plain\\n\\nx'\n",
        {
            MOD_CGI: (INVALID,),
            MOD_CGID: (INVALID,),
            NGINX: ('upstream sent invalid header: "…" while reading response header from upstream',),
        },
    ),
    "unended": Mistake(
        "#!/bin/sh\nprintf 'Content-Type: text/plain\\n'\n",
        {
            MOD_CGI: ("Premature end of script headers: …",),
            MOD_CGID: ("Premature end of script headers: …",),
            NGINX: (CLOSED,),
        },
    ),
    "wordy": Mistake(
        "#!/bin/sh\nprintf 'Content-Type: text/plain\\nX-Long: '\n"
        "head -c 100000 /dev/zero | tr '\\0' a; printf '\\n\\nx'\n",
        {NGINX: ("upstream sent too big header while reading response header from upstream",)},
    ),
    "folder": Mistake(
        FOLDER,
        {
            MOD_CGI: ("AH02812: stderr from …: attempt to invoke directory as script",),
            MOD_CGID: ("AH01265: stderr from …: attempt to invoke directory as script",),
        },
    ),
    "absent": Mistake(
        None,
        {
            MOD_CGI: ("AH02811: stderr from …: script not found or unable to stat",),
            MOD_CGID: ("AH01264: stderr from …: script not found or unable to stat",),
            NGINX: (NO_SCRIPT,),
        },
    ),
}  # fmt: skip


class Change(NamedTuple):
    """A change of a server's configuration, and what its log says then of a request, a POST if it has
    a body.
    """

    server: str
    change: Callable[[str], str]
    said: str
    body: bytes = b""


def impatient(text: str) -> str:
    """Let Apache wait for a second."""
    return f"{text}\nTimeout 1\n"


def impatient_nginx(text: str) -> str:
    """Let nginx wait for a second."""
    return re.sub(r"fastcgi_read_timeout \d+s", "fastcgi_read_timeout 1s", text)


def elsewhere(text: str) -> str:
    """Let the web server look for a socket where none is."""
    return text.replace("/cgikit.sock", "/absent.sock")


def without_execcgi(text: str) -> str:
    """Let Apache run scripts by a handler, as .htaccess does, without the option for it."""
    text = text.replace("ScriptAlias ", "Alias ")
    return text.replace("Options +ExecCGI", "Options -ExecCGI\n    SetHandler cgi-script")


def forbidden(text: str) -> str:
    """Let Apache give nothing to anybody."""
    return text.replace("Require all granted", "Require all denied")


def narrow(text: str) -> str:
    """Let nginx take a body of at most a kilobyte."""
    return re.sub(r"client_max_body_size \w+", "client_max_body_size 1k", text)


#: By a name of their own.
CHANGED = {
    "impatient, mod_cgi": Change(
        MOD_CGI, impatient, "Timeout waiting for output from CGI script …"
    ),
    "impatient, mod_cgid": Change(
        MOD_CGID, impatient, "Script timed out before returning headers: …"
    ),
    "impatient, nginx": Change(
        NGINX,
        impatient_nginx,
        "upstream timed out (110: Connection timed out) while reading response header from upstream",
    ),
    "elsewhere, nginx": Change(
        "nginx-fastcgi",
        elsewhere,
        "connect() to unix:… failed (2: No such file or directory) while connecting to upstream",
    ),
    "elsewhere, Apache": Change(
        "apache-mod_proxy_fcgi",
        elsewhere,
        "FCGI: attempt to connect to Unix domain socket … failed",
    ),
    "no ExecCGI, mod_cgi": Change(
        MOD_CGI, without_execcgi, "AH02809: stderr from …: Options ExecCGI is off in this directory"
    ),
    "no ExecCGI, mod_cgid": Change(
        MOD_CGID, without_execcgi, "AH01262: stderr from …: Options ExecCGI is off in this directory"
    ),
    "forbidden": Change(MOD_CGID, forbidden, "AH01630: client denied by server configuration: …"),
    "narrow": Change(
        NGINX, narrow, "client intended to send too large body: … bytes", body=b"a" * 2_000
    ),
}  # fmt: skip


def unsaid(server: Server, before: int, wanted: tuple[str, ...]) -> list[str]:
    """Which messages have not been written into the log since it had `before` characters."""
    lines = server.error_log()[before:].splitlines()
    return [
        said
        for said in wanted
        if not any(all(piece in line for piece in pieces(said)) for line in lines)
    ]


@pytest.mark.parametrize("name", MISTAKES)
def test_the_log_says_so(server: Server, name: str) -> None:
    mistake = MISTAKES[name]
    if server.name not in mistake.said:
        return  # it says nothing of this one, or cgikit does, whose words are tested elsewhere
    script: Path = server.directory / f"mistake-{name}.py"
    path = script.name
    if mistake.text == FOLDER:
        script.mkdir()
        path += "/"
    elif mistake.text is not None:
        script.write_bytes(mistake.text.encode())
        script.chmod(mistake.mode)
    before = len(server.error_log())
    ask(server, path)

    wanted = mistake.said[server.name]
    assert until(lambda: not unsaid(server, before, wanted)), server.error_log()[before:]


@pytest.mark.parametrize("name", CHANGED)
def test_the_log_says_so_of_its_configuration(
    name: str, readable_directory: Path, script_interpreter: Interpreter
) -> None:
    changed = CHANGED[name]
    with readable_by_all():
        root = fresh(readable_directory, f"changed-{list(CHANGED).index(name)}")
        scripts = copy_scripts(root, user=server_user())
        script = scripts / "endless.sh"
        script.write_text("#!/bin/sh\nexec sleep 600\n")
        script.chmod(0o755)
    row = ROWS[changed.server]
    with printed(
        changed.server, row, root, scripts, script_interpreter, change=changed.change
    ) as server:
        if changed.body:
            server.raw(
                f"POST {urlsplit(server.url(script.name)).path} HTTP/1.1\r\nHost: localhost\r\n"
                f"Content-Length: {len(changed.body)}\r\nConnection: close\r\n\r\n".encode()
                + changed.body
            )
        else:
            ask(server, script.name)
        assert until(lambda: not unsaid(server, 0, (changed.said,))), server.error_log()


def test_the_page_lists_what_is_produced_and_nothing_else() -> None:
    listed = {message(row[0]) for row in rows("In the log of a web server")}
    produced = {said for m in MISTAKES.values() for each in m.said.values() for said in each}
    produced |= {changed.said for changed in CHANGED.values()}
    assert listed == produced
