"""`cgikit run`: a script file as a CGI server runs it, with every error answered.

Only the help is here: `cgikit.__main__` takes this command before the others are imported, since a
request waits for it. `runner.py` does what it says.
"""

import argparse
from typing import Any

from cgikit.runner import run_script


def add_to(commands: Any) -> None:
    """Add the command to those of `cgikit`."""
    added = commands.add_parser(
        "run",
        help="run one script, and answer its errors",
        description="Run a script as its interpreter would. Under a web server every error, even one of"
        " its syntax, becomes a page. Usable as the first line of a script:"
        " #!/usr/bin/env -S python3 -m cgikit run",
        epilog="Example: cgikit run hello.py name=Ada\nDocumentation: page reference/errors",
    )
    added.add_argument("script", metavar="SCRIPT", help="the script's file")
    added.add_argument("words", metavar="WORD", nargs="*", help="what the script gets in sys.argv")
    added.set_defaults(command=_run)


def _run(arguments: argparse.Namespace) -> int:
    return run_script(arguments.script, arguments.words)
