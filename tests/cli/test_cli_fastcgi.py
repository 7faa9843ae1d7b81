"""`cgikit fastcgi`: what is specific to FastCGI; test_cli_gatewaycommand.py has what SCGI shares."""

import sys
from pathlib import Path

from gatewayserving import HEAD, gateway

TELLS = f"{HEAD}import sys\nprint('told', file=sys.stderr)\nsys.exit(3)"


def test_standard_error_goes_to_our_log(tmp_path: Path) -> None:
    with gateway("fastcgi", tmp_path, "--workers", "1") as server:
        assert server.run(TELLS).errors == b""
        assert server.said("/run1.py") == ["told", "exited with status 3"]


def test_standard_error_goes_to_the_web_server_where_that_is_asked_for(tmp_path: Path) -> None:
    with gateway("fastcgi", tmp_path, "--workers", "1", "--stderr", "server") as server:
        assert server.run(TELLS).errors == b"told\n"
        server.wait_for("exited with status 3")
        assert not [line for line in server.lines if "told" in line]


def test_other_languages_and_interpreters(tmp_path: Path) -> None:
    """So that it can stand where fcgiwrap stood."""
    with gateway("fastcgi", tmp_path, "--workers", "1") as server:
        server.put(
            "shell", "#!/bin/sh\necho Content-Type: text/plain; echo; echo $REQUEST_METHOD; cat"
        )
        assert server.request("/shell", b"body").text == "POST\nbody"
        server.put("option", f"#!{sys.executable} -O\n{HEAD}print(__debug__)")
        assert server.request("/option").text == "False\n"
        server.wait_for("/option runs in an interpreter of its own: .*the option -O")
        server.put("lost", "#!/no/such/interpreter\n")
        assert server.request("/lost").status == 500
        server.put("text", "no first line\n")
        assert server.request("/text").status == 500
