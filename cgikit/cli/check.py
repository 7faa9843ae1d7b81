"""`cgikit check SCRIPT… | DIR`: what is wrong with scripts, and what could be better.

Only the command is here. What is found without running a script is in `cgikit.checking`; what a sample
run shows, in `cgikit.probing`.
"""

import argparse
import os
import sys
from collections.abc import Callable

from cgikit.characters import printable
from cgikit.checking import report, script
from cgikit.checking.account import Account
from cgikit.checking.exposed import check_exposed
from cgikit.checking.finding import Finding
from cgikit.checking.mending import Mend, Tree
from cgikit.probing.checkup import Checks, Checkup, mend
from cgikit.probing.sample import PATH
from cgikit.process import write_log

from .commandline import complain
from .terminal import is_terminal, paint


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add this command's parser to the sub-parsers of the command line."""
    parser = commands.add_parser(
        "check",
        help="say what keeps scripts from working, and how to mend it",
        description="Say what keeps scripts from working, and how to mend it. A script that is named "
        "is also run for a sample GET and HEAD, as a server would run it.",
        epilog="Example: cgikit check --user www-data cgi-bin/hello.py\nDocumentation: docs/check.md",
    )
    parser.set_defaults(command=check)
    parser.add_argument(
        "paths", metavar="SCRIPT|DIR", nargs="+", help="a script, or a directory of them"
    )
    parser.add_argument(
        "--user", metavar="NAME", help="the user that the server runs scripts as, such as www-data"
    )
    parser.add_argument(
        "--path",
        metavar="PATH",
        default=PATH,
        help=f"the PATH that the server gives scripts (default: {PATH})",
    )
    running = parser.add_mutually_exclusive_group()
    running.add_argument(
        "--run", action="store_true", help="also run the scripts of a directory, without asking"
    )
    running.add_argument("--no-run", action="store_true", help="run no script at all")
    parser.add_argument(
        "--post", action="store_true", help="also run them for a POST with an empty form"
    )
    parser.add_argument(
        "--fix", action="store_true", help="mend what is safe to mend; asks in a terminal"
    )
    parser.add_argument("--yes", action="store_true", help="mend without asking; with --fix")
    parser.add_argument("--json", action="store_true", help="print JSON (docs/check.md)")
    parser.add_argument(
        "--strict", action="store_true", help="exit with 1 for advice, too, not for errors alone"
    )


def check(arguments: argparse.Namespace) -> int:
    """Check scripts; return the exit status (int): 0 nothing is wrong, 1 something is, 2 a path cannot
    be looked at.
    """
    try:
        user = Account.named(arguments.user) if arguments.user else None
    except KeyError:
        return _fail(f"this machine has no user {arguments.user!r}; name one of /etc/passwd")
    methods = ("GET", "HEAD", *(["POST"] if arguments.post else []))
    announce = _silent if arguments.json else _announcer(methods)
    checks = Checks(user, arguments.path, methods, announce)
    done: dict[str, Checkup] = {}
    said: list[Finding] = []  # what is wrong with a directory is said once
    looked: set[str] = set()  # directories
    agrees = _Agreement(arguments)
    for path in arguments.paths:
        try:
            tree = Tree(path)
            files = script.scripts(path) if os.path.isdir(path) else [path]
            os.stat(path)
        except OSError as error:
            return _fail(f"{path}: {error.strerror}")
        if not files:
            return _fail(f"{path} has no scripts: no file is executable or begins with #!")
        may_run = _may_run(arguments, path, len(files))
        for file in files:
            new = [each for each in (os.path.dirname(file) or ".", path) if each not in looked]
            looked.update(new)
            checkup = done[file] = _examine(file, new, checks, tree, agrees, may_run)
            found = checkup.findings
            checkup.findings = [each for each in found if each.file == file or each not in said]
            said += found
            if not arguments.json:
                if checkup.samples:
                    write_log(f"{printable(file)}: {printable(checkup.measures())}\n")
                _print(file, checkup.findings)
    if agrees.is_withheld:
        complain(
            "check", "nothing was changed: --fix asks in a terminal; with --yes it does not ask"
        )
    return _conclude(done, arguments)


def _examine(
    file: str,
    directories: list[str],
    checks: Checks,
    tree: Tree,
    agrees: "_Agreement",
    may_run: bool,
) -> Checkup:
    """Check a script, and directories that were not looked at before; with --fix, mend them first."""
    mended = []
    if agrees.arguments.fix:
        before = checks.examine(file, may_run=False)
        mend(before, _exposed(directories), tree, agrees, _refused)
        mended = before.mended
    checkup = checks.examine(file, may_run=may_run)
    checkup.findings += _exposed(directories)
    checkup.mended = mended
    return checkup


def _exposed(directories: list[str]) -> list[Finding]:
    places = [each for each in dict.fromkeys(directories) if os.path.isdir(each)]
    return [finding for each in places for finding in check_exposed(each)]


def _conclude(done: dict[str, Checkup], arguments: argparse.Namespace) -> int:
    """Print what comes last; return the exit status."""
    found = {file: checkup.findings for file, checkup in done.items()}
    everything = [finding for findings in found.values() for finding in findings]
    if arguments.json:
        print(report.as_json(found, {file: checkup.as_dict() for file, checkup in done.items()}))
    else:
        print(report.summary(len(found), everything))
    wrong = everything if arguments.strict else [each for each in everything if each.is_error]
    return 1 if wrong else 0


def _silent(file: str, account: Account, why: str) -> None:
    """Say nothing."""


def _announcer(methods: tuple[str, ...]) -> "Callable[[str, Account, str], None]":
    def announce(file: str, account: Account, why: str) -> None:
        reason = f" ({why})" if why else ""
        shown = printable(file)
        write_log(f"{shown}: running it as {account.name} for {', '.join(methods)}{reason}\n")

    return announce


class _Agreement:
    """Shows each change, and asks for it. `.is_withheld`: one was not made, with nobody to ask."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        self.is_withheld = False

    def __call__(self, change: Mend) -> bool:
        shown = f"{printable(change.file)}: {change.what}"
        if self.arguments.yes:
            write_log(f"mending {shown}\n")
            return True
        if not _can_ask(self.arguments):
            write_log(f"could mend {shown}\n")
            self.is_withheld = True
            return False
        write_log(f"mend {shown}? [y/N] ")
        return _says_yes()


def _refused(change: Mend, why: str) -> None:
    write_log(f"not mended: {printable(change.file)}: {printable(why)}\n")


def _can_ask(arguments: argparse.Namespace) -> bool:
    return not arguments.json and is_terminal(sys.stdin) and is_terminal(sys.stderr)


def _says_yes() -> bool:
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _may_run(arguments: argparse.Namespace, path: str, count: int) -> bool:
    """Whether scripts are run: one that is named, yes; those of a directory if somebody says so."""
    if arguments.no_run:
        return False
    if arguments.run or not os.path.isdir(path):
        return True
    if not _can_ask(arguments):
        return False
    shown = printable(path)
    write_log(f"Run the {count} scripts in {shown} for a sample GET and HEAD? [y/N] ")
    return _says_yes()


def _print(file: str, findings: list[Finding]) -> None:
    shown = printable(file)
    good = f"{shown}: {paint('nothing is wrong', 'ok', sys.stdout)}"
    print(paint(shown, "bold", sys.stdout) if findings else good)
    for line in report.text(findings):
        for kind in ("error", "advice"):
            if line.startswith(f"  {kind} "):
                line = f"  {paint(kind, kind, sys.stdout)}{line[2 + len(kind) :]}"
                break
        print(line)
    sys.stdout.flush()


def _fail(message: str) -> int:
    complain("check", printable(message))
    return 2
