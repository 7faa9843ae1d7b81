"""docs/start/messages.md: what Apache, nginx, fcgiwrap and lighttpd say of each mistake in a script."""

from pathlib import Path
from typing import NamedTuple

import pytest
from serving import until
from test_docs_messages import message, pieces, rows

from .server import Server
from .test_failing import ask


class Mistake(NamedTuple):
    """A script with a mistake: its text, its mode, and what each server's log says of it."""

    text: str | None
    said: dict[str, tuple[str, ...]]
    mode: int = 0o755


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
    "absent": Mistake(
        None,
        {
            MOD_CGI: ("AH02811: stderr from …: script not found or unable to stat",),
            MOD_CGID: ("AH01264: stderr from …: script not found or unable to stat",),
            NGINX: (NO_SCRIPT,),
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_the_log_says_so(server: Server, name: str) -> None:
    mistake = MISTAKES[name]
    if server.name not in mistake.said:
        return  # it says nothing of this one, or cgikit does, whose words are tested elsewhere
    script: Path = server.directory / f"mistake-{name}.py"
    if mistake.text is not None:
        script.write_bytes(mistake.text.encode())
        script.chmod(mistake.mode)
    before = len(server.error_log())
    ask(server, script.name)

    def unsaid() -> list[str]:
        lines = server.error_log()[before:].splitlines()
        return [
            said
            for said in mistake.said[server.name]
            if not any(all(piece in line for piece in pieces(said)) for line in lines)
        ]

    assert until(lambda: not unsaid()), (unsaid(), server.error_log()[before:])


def test_the_page_lists_what_is_produced_and_nothing_else() -> None:
    listed = {message(row[0]) for row in rows("In the log of a web server")}
    produced = {said for m in MISTAKES.values() for each in m.said.values() for said in each}
    assert listed == produced
