"""`cgikit migrate FILE… | DIR`: scripts that `import cgi`, rewritten to run without it.

Only the command is here; what is rewritten, and why that is safe, is in `cgikit.migrate`. LibCST, which
reads the programs, is an extra: without it the command says how to get it.
"""

import argparse
import os
import sys
from typing import TYPE_CHECKING

from cgikit import vendored
from cgikit.errors import StorageError

if TYPE_CHECKING:
    from cgikit.migrate.change import Change

_MISSING = "LibCST is not installed (the extra cgikit[migrate]): pip install 'libcst>=1.5'"


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add this command's parser to the sub-parsers of the command line."""
    parser = commands.add_parser(
        "migrate",
        help="rewrite scripts that import cgi or cgitb",
        description="Rewrite scripts that import cgi or cgitb, which Python 3.13 does not have. "
        "Shows the changes as a diff; what it does not touch is reported on standard error.",
        epilog="Example: cgikit migrate cgi-bin\nDocumentation: page reference/migrate",
    )
    parser.add_argument(
        "paths",
        metavar="PATH",
        nargs="+",
        help="a file, or a directory: the Python programs in it, but no virtual environments",
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--write", action="store_true", help="change the files")
    how.add_argument(
        "--check", action="store_true", help="only name the files; exit with 1 if there are any"
    )
    parser.add_argument(
        "--unsafe",
        action="store_true",
        help="also FieldStorage to Request, which differs in odd cases: page reference/migrate",
    )
    parser.set_defaults(command=migrate)


def migrate(arguments: argparse.Namespace) -> int:
    """Show or write the changes of all files; return the exit status (int)."""
    try:
        from cgikit.migrate import change, report, source, tree
    except ImportError as error:
        if (error.name or "").partition(".")[0] != "libcst":
            raise
        print(f"cgikit migrate: {_MISSING}", file=sys.stderr)
        return 1
    changed, refused, more, failed = 0, 0, 0, False
    paths, failed = _paths(arguments.paths)
    users = tree.Users(paths)
    modules = tree.vendored_beside(paths)
    for path in paths:
        if vendored.is_vendored(path):
            continue
        try:
            one = change.Change(path, users, unsafe=arguments.unsafe)
            if one.outcome.data is not None:
                _tell(one, arguments)
                changed += 1
            _print_all(report.lines(path, one.outcome.notes))
            more += one.outcome.more
        except source.NotMigrated as error:
            refused += 1
            print(f"{path}:{error.line or 1}: {error.reason} [not touched]", file=sys.stderr)
        except StorageError as error:
            failed = True
            print(f"cgikit migrate: {error}", file=sys.stderr)
    for path in modules:
        _print_all(report.vendored(path, self_contained=vendored.is_self_contained(path)))
    sys.stdout.flush()
    _print_all([report.summary(changed, refused, written=arguments.write), *report.more(more)])
    return 1 if failed or (arguments.check and changed + refused) else 0


def _paths(named: list[str]) -> tuple[list[str], bool]:
    """Return all files, each once, and whether a directory could not be read."""
    from cgikit.migrate import tree

    found: dict[str, str] = {}
    failed = False
    for path in named:
        try:
            for each in tree.programs(path) if os.path.isdir(path) else [path]:
                found.setdefault(os.path.realpath(each), each)
        except StorageError as error:
            failed = True
            print(f"cgikit migrate: {error}", file=sys.stderr)
        except OSError as error:
            failed = True
            print(f"cgikit migrate: {error.filename}: {error.strerror}", file=sys.stderr)
    return list(found.values()), failed


def _tell(one: "Change", arguments: argparse.Namespace) -> None:
    """Show a change, or make it."""
    from cgikit.migrate import report

    assert one.outcome.data is not None  # noqa: S101  # asked by the caller
    if arguments.write:
        one.write()
        print(f"changed {one.path}")
    elif arguments.check:
        print(f"would change {one.path}")
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(report.diff(one.path, one.old, one.outcome.data))


def _print_all(lines: list[str]) -> None:
    for line in lines:
        print(line, file=sys.stderr)
