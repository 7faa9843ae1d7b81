"""`cgikit new NAME`: a script to begin with, a directory for its data, and a test.

Only the command is here; the scripts are in `cgikit.starters`.
"""

import argparse
import importlib.util
import os
import pwd
import shlex
import sys

from cgikit import starters
from cgikit.checking.account import Account
from cgikit.checking.firstline import MAX_LINE
from cgikit.process import write_log

from .commandline import complain


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add this command's parser to the sub-parsers of the command line."""
    kinds = "; ".join(f"{kind}: {what}" for kind, what in starters.KINDS.items())
    parser = commands.add_parser(
        "new",
        help="make a script to begin with, and a test for it",
        description="Make a directory with a script, a place for its data that no visitor reaches, and "
        f"a test. Nothing that is there is overwritten. The kinds are {kinds}.",
        epilog="Example: cgikit new guestbook --kind form\nDocumentation: page reference/new",
    )
    parser.set_defaults(command=new)
    parser.add_argument("path", metavar="NAME", help="the directory; the script is named as it is")
    parser.add_argument(
        "--kind",
        choices=tuple(starters.KINDS),
        default="page",
        help="what the script is for (default: page)",
    )


def new(arguments: argparse.Namespace) -> int:
    """Make the files; return the exit status (int)."""
    path = os.path.normpath(arguments.path)
    program = sys.executable
    if not program or " " in program or len(program) > MAX_LINE - 3:
        program = "/usr/bin/env python3"  # a first line cannot hold it
    try:
        files = starters.make(path, arguments.kind, program)
    except ValueError as error:
        complain("new", str(error))
        return 2
    except OSError as error:
        complain("new", f"{error.filename or path}: {error.strerror}")
        return 1
    for file in files:
        print(file)
    directory = shlex.quote(os.path.join(path, "cgi-bin"))
    print(f"See it:  cgikit serve {directory}")
    print(f"Test it: {shlex.quote(program)} -m pytest {shlex.quote(path)}")
    if importlib.util.find_spec("pytest") is None:
        print(f"         pytest is not installed: {shlex.quote(program)} -m pip install pytest")
    _warn(program)
    _warn_root(os.path.join(path, "data"))
    return 0


def _warn_root(data: str) -> None:
    """Say it if the data belongs to root: a web server runs scripts as another user."""
    if os.geteuid():
        return
    try:
        user = pwd.getpwnam("www-data").pw_name
    except KeyError:
        user = "USER"
    write_log(
        f"{data} belongs to root, so a web server's user cannot write into it. Give it to that user: "
        f"chown {user} {shlex.quote(data)}\n"
    )


def _warn(program: str) -> None:
    """Say it if a web server cannot run the interpreter of the script."""
    try:
        closed = Account("", 1, 1, frozenset()).closed_directory(program)
    except OSError:
        return
    if closed is not None:
        write_log(
            f"Other users cannot enter {closed}: a web server that does not run as you needs another "
            "Python in the first line of the script.\n"
        )
