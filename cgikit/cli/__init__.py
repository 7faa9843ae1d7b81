"""The command `cgikit`: one module a command, and here only the choice among them."""

import argparse
import sys
from collections.abc import Sequence

from cgikit import __version__

from . import config, fastcgi, scgi, serve, sessions


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (this process's own by default); return the exit status (int).

    0 is success, 1 a failure (one line on standard error says which), 2 wrong usage.
    """
    arguments = parser().parse_args(sessions.words(sys.argv[1:] if argv is None else argv))
    status: int = arguments.command(arguments)
    return status


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    made = argparse.ArgumentParser(prog="cgikit", description="Tools for CGI scripts.")
    made.add_argument("--version", action="version", version=f"cgikit {__version__}")
    commands = made.add_subparsers(metavar="COMMAND", required=True)
    config.add_to(commands)
    fastcgi.add_to(commands)
    scgi.add_to(commands)
    serve.add_to(commands)
    sessions.add_to(commands)
    return made
