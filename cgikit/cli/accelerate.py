"""`cgikit accelerate SCRIPT… | DIR`: warm where the web server knows nothing but CGI.

Only the command is here; fronts and daemon are in `cgikit.accelerate`.
"""

import argparse
import os
from collections.abc import Callable
from functools import partial

from cgikit.accelerate import directory, gain, installation, standing

from .commandline import complain
from .options import number


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add this command's parser to the sub-parsers of the command line."""
    parser = commands.add_parser(
        "accelerate",
        help="run scripts warm where the server knows only CGI",
        description="Write a front beside each script, NAME.cgi, for the web server to run in its "
        "place. It has a process run the script that has Python loaded already, and runs the "
        "script itself where there is none. The scripts are not changed.",
        epilog="Example: cgikit accelerate ~/public_html/cgi-bin/guestbook.py\n"
        "Documentation: page reference/accelerate",
    )
    parser.set_defaults(command=accelerate)
    parser.add_argument(
        "paths", metavar="SCRIPT", nargs="+", help="a Python script, or a directory with scripts"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--check", action="store_true", help="say whether a front would help here, and make none"
    )
    what.add_argument(
        "--status",
        action="store_true",
        help="say how many requests ran warm and how many directly, and why",
    )
    what.add_argument(
        "--stop", action="store_true", help="end the process; a later request starts it again"
    )
    what.add_argument(
        "--undo", action="store_true", help="remove the front, and with the last one the process"
    )
    _add_making(parser)


def _add_making(parser: argparse.ArgumentParser) -> None:
    """Add the options for fronts that are made."""
    parser.add_argument(
        "--in-place",
        action="store_true",
        help="let the front, in Python, take the script's name and keep the script in itself",
    )
    parser.add_argument(
        "--directory",
        metavar="DIR",
        help="where the directory with the socket is made (default: .cgikit in your home)",
    )
    parser.add_argument(
        "--idle",
        metavar="SECONDS",
        type=number(10, 86_400),
        default=installation.IDLE,
        help="end the process after so many seconds without a request "
        f"(default: {installation.IDLE}); it is started when two requests come within them",
    )
    parser.add_argument(
        "--front",
        choices=installation.KINDS,
        help="the language of the fronts (default: perl where it works, else python)",
    )


def accelerate(arguments: argparse.Namespace) -> int:
    """Write the fronts; return the exit status (int)."""
    kinds = [arguments.front] if arguments.front else installation.KINDS
    if arguments.in_place:
        if arguments.front == "perl":
            complain("accelerate", "a front in place is in Python; leave out --front perl")
            return 2
        kinds = ["python"]
    try:
        base = arguments.directory or directory.default_base()
        if arguments.status or arguments.stop or arguments.undo:
            return _look_after(arguments, base)
        for path in filter(os.path.isdir, arguments.paths):
            for why in installation.left_out(path, arguments.in_place):
                print(f"left out: {why}")
        find = partial(installation.scripts_in, in_place=arguments.in_place)
        for scripts in _by_folder(arguments.paths, find):
            if arguments.check:
                lines = gain.described(scripts, base, kinds, in_place=arguments.in_place)
                print("\n".join(lines))
                continue
            for front in installation.accelerate(
                scripts,
                base,
                idle=arguments.idle,
                kinds=kinds,
                in_place=arguments.in_place,
            ):
                print(f"wrote {front}")
    except directory.Refusal as refusal:
        complain("accelerate", str(refusal))
        return 1
    return 0


def _look_after(arguments: argparse.Namespace, base: str) -> int:
    """Do for each folder of scripts what was asked for; return the exit status."""
    for scripts in _by_folder(arguments.paths, partial(standing.scripts_in, base=base)):
        if arguments.undo:
            for script in scripts:
                _undo(script, base)
            continue
        places = [standing.place_of(script, base) for script in scripts]  # one and the same
        if arguments.stop:
            print("stopped" if standing.stop(places[0]) else "no process was running")
        else:
            names = [f"{script}:" for script in scripts]
            print("\n".join([*names, *standing.described(places[0])]))
    return 0


def _undo(script: str, base: str) -> None:
    if os.path.isfile(script) and installation.put_back(script):
        print(f"put back {script}")  # whatever has become of the directory
        if not standing.has_place(script, base):
            return
    for path in standing.undo(script, standing.place_of(script, base)):
        print(f"removed {path}")


def _by_folder(paths: list[str], find: "Callable[[str], list[str]]") -> list[list[str]]:
    """Return the scripts that some paths name, those of one folder together. `find` returns those of a
    directory.
    """
    folders: dict[str, list[str]] = {}
    for path in paths:
        names = find(path) if os.path.isdir(path) else [path]
        for name in names:
            folders.setdefault(os.path.dirname(os.path.abspath(name)), []).append(name)
    return list(folders.values())
