"""`cgikit bundle SCRIPT|DIR -o OUT`: scripts with all that they need, for hosts without pip.

Only the command is here; what it makes is in `cgikit.bundle`.
"""

import argparse
import os
import re

from cgikit.bundle import interpreter, making, writing
from cgikit.bundle.target import Target, target
from cgikit.characters import printable
from cgikit.errors import StorageError, reason_of

from .commandline import complain
from .terminal import Progress

_SHOWN = 20  # paths of a kind that are named


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add this command's parser to the sub-parsers of the command line."""
    parser = commands.add_parser(
        "bundle",
        help="put scripts and all that they need into a folder to upload",
        description="Put a script, or a directory of scripts, into a new folder with cgikit and all "
        "else that they use, ready to be uploaded. Data of visitors stays here.",
        epilog="Example: cgikit bundle guestbook.py -o upload --python 3.11\n"
        "Documentation: page reference/bundle",
    )
    parser.set_defaults(command=bundle)
    parser.add_argument("source", metavar="SCRIPT|DIR", help="a script, or a directory of scripts")
    parser.add_argument("--output", "-o", metavar="OUT", required=True, help="the new folder")
    parser.add_argument(
        "--python",
        metavar="VERSION|PATH",
        default="",
        help="the Python of the host, such as 3.11, or an interpreter here that is like it "
        "(default: this one)",
    )
    parser.add_argument(
        "--interpreter",
        metavar="PATH",
        default="",
        help="the interpreter for the first lines, as the host has it (default: that of the script "
        f"if it is below /usr or /opt, else {interpreter.DEFAULT})",
    )
    parser.add_argument(
        "--include",
        metavar="MODULE",
        action="append",
        default=[],
        help="a module that is imported by a computed name; may be given several times",
    )
    parser.add_argument(
        "--with-data",
        action="store_true",
        help="carry data/, databases and secrets as well: what visitors have left, passwords",
    )
    parser.add_argument(
        "--accelerate",
        metavar="FOLDER",
        help="carry a front for each script, NAME.cgi, which has it run by a process that has Python "
        "loaded already. FOLDER, which you make on the host, empty and with mode 700, is where that "
        "process has its socket: outside of what the server shows, such as ../cgikit-daemon",
    )
    parser.add_argument(
        "--force", action="store_true", help="replace a bundle that nobody has changed"
    )


def bundle(arguments: argparse.Namespace) -> int:
    """Make and write a bundle; return the exit status (int): 2 for wrong usage."""
    source, out = arguments.source, arguments.output
    if not os.path.exists(source):
        return _fail(f"{source}: there is no such script or directory", 2)
    if os.path.isdir(source) and _is_within(out, source):
        return _fail(f"{out}: the bundle of a directory cannot be in it; name another folder", 2)
    try:
        chosen = target(arguments.python)
        interpreter.first_line(b"", arguments.interpreter)
        fronts = fronts_in(arguments.accelerate) if arguments.accelerate else None
    except ValueError as error:
        return _fail(str(error), 2)
    try:
        with Progress() as bar:
            made = making.make(
                source,
                chosen,
                wanted=arguments.interpreter,
                include=arguments.include,
                data=arguments.with_data,
                fronts=fronts,
                tell=bar,
            )
        writing.write(made.bundle, out, force=arguments.force)
    except making.Refused as error:
        for problem in error.problems:
            _fail(problem)
        return 1
    except FileExistsError as error:
        return _fail(f"{error.filename}: {error.strerror}")
    except (StorageError, SyntaxError, ValueError) as error:
        return _fail(str(error))
    except OSError as error:
        return _fail(f"{error.filename or out}: {reason_of(error)}")
    _report(made, chosen, out, arguments.accelerate)
    return 0


def fronts_in(folder: str) -> making.Fronts:
    """Return how fronts are made. `ValueError` for a folder that cannot be the daemon's."""
    from cgikit.accelerate import carried, carriedfront

    if not re.fullmatch(r"(\.\./)+\.?\w[\w.-]*(/\.?\w[\w.-]*)*", folder, re.ASCII):
        raise ValueError(
            f"--accelerate: {folder!r} is not a folder above the bundle; name one that the web server "
            "does not show, in ASCII letters and digits, such as ../cgikit-daemon"
        )

    def text(script: str, depth: int, python: str, identity: str) -> bytes:
        return carriedfront.text(script, folder, depth, python, identity)

    return making.Fronts(text, [carried.__name__], carried.LIST)


def _report(made: making.Made, chosen: Target, out: str, fronts: str) -> None:
    files = made.bundle.files
    size = sum(map(len, files.values()))
    print(
        f"wrote {printable(out)}: {len(files)} files, {size / 1000:.0f} kB, for Python {chosen.version}"
    )
    for path in sorted(made.bundle.scripts)[:_SHOWN]:
        line = files[path].partition(b"\n")[0].decode("utf-8", "replace")
        print(f"  {printable(path)}: {printable(line)}")
    if made.packages:
        print(f"  packages: {', '.join(made.packages)}")
    for path, reason in made.left[:_SHOWN]:
        print(f"  left out: {printable(path)}: {reason}")
    if len(made.left) > _SHOWN:
        print(f"  left out: {len(made.left) - _SHOWN} more")
    if fronts:
        print(
            f"  on the host: make the folder {fronts}, empty, with mode 700; upload the content of "
            f"{printable(out)}; set *.cgi and the scripts to 755"
        )
    for note in made.notes:
        print(f"  note: {printable(note)}")
    if not chosen.python:
        print(
            f"  note: no Python {chosen.version} was found here, so nothing is compiled: each request "
            "compiles all that it uses; name an interpreter with --python"
        )


def _is_within(path: str, directory: str) -> bool:
    inner, outer = os.path.realpath(path), os.path.realpath(directory)
    return inner == outer or inner.startswith(outer.rstrip("/") + "/")


def _fail(message: str, status: int = 1) -> int:
    complain("bundle", printable(message))
    return status
