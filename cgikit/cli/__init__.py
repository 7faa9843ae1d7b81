"""The command `cgikit`. Each of its commands has a module; this one chooses among them."""

import argparse
import os
import signal
import sys
from collections.abc import Iterable, Sequence

from cgikit import __version__
from cgikit.runner import run_script

from . import (
    accelerate,
    bundle,
    check,
    completion,
    config,
    fastcgi,
    migrate,
    new,
    run,
    scgi,
    serve,
    sessions,
    streams,
    trace,
    vendor,
)
from .commandline import Parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (this process's own by default); return the exit status (int).

    0 is success, 1 a failure (one line on standard error says which), 2 wrong usage.
    """
    words = sys.argv[1:] if argv is None else argv
    if len(words) > 1 and words[0] == "run" and not words[1].startswith("-"):
        return run_script(words[1], list(words[2:]))  # all of what follows is the script's
    made = parser()
    if "_ARGCOMPLETE" in os.environ:  # the shell asks what could follow
        completion.complete(made)
    streams.prepare()
    return _run(made, list(words))


def parser() -> Parser:
    """Return the parser of the command line, with those of all commands."""
    made = Parser(
        prog="cgikit",
        description="Make CGI scripts, see what they do, find what is wrong with them, put them behind "
        "a web server, and look at their sessions.",
    )
    made.add_argument("--version", action="version", version=f"cgikit {__version__}")
    commands = made.add_subparsers(metavar="COMMAND", dest="named", required=True)
    accelerate.add_to(commands)
    bundle.add_to(commands)
    check.add_to(commands)
    completion.add_to(commands)
    config.add_to(commands)
    fastcgi.add_to(commands)
    migrate.add_to(commands)
    new.add_to(commands)
    run.add_to(commands)
    scgi.add_to(commands)
    serve.add_to(commands)
    sessions.add_to(commands)
    trace.add_to(commands)
    vendor.add_to(commands)
    made.epilog = _epilog(commands.choices.values())
    return made


def _epilog(parsers: Iterable[argparse.ArgumentParser]) -> str:
    """Return what follows the list of commands (str): the example of each, and where to read on."""
    examples = [str(each.epilog).partition("\n")[0].removeprefix("Example: ") for each in parsers]
    return "\n  ".join(["examples:", *examples]) + (
        "\n\nEach command has its own --help, which names its page of the documentation. That begins "
        "with the page index; page reference/command-line has the commands."
    )


def _run(made: Parser, words: list[str]) -> int:
    """Run a command; return its exit status. It is 1 if the output cannot be written."""
    name = "cgikit"
    try:
        if not words:
            made.print_help()
            streams.finish()
            return 0
        try:
            arguments = made.parse_args(sessions.without_ids(words))
        except SystemExit:
            streams.finish()  # of --help
            raise
        name = f"cgikit {arguments.named}"
        if not getattr(arguments, "is_exact", False):
            streams.escape()
        status: int = arguments.command(arguments)
        streams.finish()
    except KeyboardInterrupt:  # its user knows why it has ended
        return 128 + signal.SIGINT
    except OSError as error:
        if os.environ.get("CGIKIT_DEBUG") == "1" and not isinstance(error, BrokenPipeError):
            raise
        streams.complain_of(name, error)
        return 1
    finally:
        streams.drop()
    return status
