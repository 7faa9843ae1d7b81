"""`cgikit check SCRIPT… | DIR`: what is wrong with scripts, and what could be better.

Only the command is here. What is found without running a script is in `cgikit.checking`; what a sample
run shows, in `cgikit.probing`.
"""

import argparse
import os
import sys

from cgikit.characters import printable
from cgikit.checking import report, script
from cgikit.checking.account import Account
from cgikit.checking.exposed import check_exposed
from cgikit.checking.finding import Finding
from cgikit.checking.mending import Mend, Tree
from cgikit.probing.checkup import Checks, Checkup, mend
from cgikit.probing.reuse import QUIET
from cgikit.probing.sample import PATH
from cgikit.process import write_log

from .commandline import complain, ending
from .terminal import Progress, is_terminal, paint


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add this command's parser to the sub-parsers of the command line."""
    parser = commands.add_parser(
        "check",
        help="say what keeps scripts from working, and how to mend it",
        description="Say what keeps scripts from working, and how to mend it. A script that is named "
        "is also run for a sample GET and HEAD, as a server would run it.",
        epilog="Example: cgikit check --user www-data cgi-bin/hello.py\n"
        "Documentation: page reference/check",
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
        "--reuse",
        action="store_true",
        help="also say what keeps one process from serving several requests (fastcgi --reuse)",
    )
    parser.add_argument(
        "--fix", action="store_true", help="mend what is safe to mend; asks in a terminal"
    )
    parser.add_argument("--yes", action="store_true", help="mend without asking; with --fix")
    parser.add_argument("--json", action="store_true", help="print JSON (page reference/check)")
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
    done: dict[str, Checkup] = {}
    with ending(), Progress() as bar:
        command = _Command(arguments, user, bar)
        given: list[tuple[str, Tree, list[str]]] = []
        for path in arguments.paths:
            try:
                tree = Tree(path)
                files = script.scripts(path) if os.path.isdir(path) else [path]
                os.stat(path)
            except OSError as error:
                return _fail(f"{path}: {error.strerror}")
            if not files:
                return _fail(f"{path} has no scripts: no file is executable or begins with #!")
            given.append((path, tree, files))
        waiting = sum(len(files) for _, _, files in given)
        for path, tree, files in given:
            may_run = command.may_run(path, len(files))
            for number, file in enumerate(files):
                bar(number, len(files))
                done[file] = command.check_one(file, path, tree, may_run, waiting)
                waiting -= 1
    if command.is_withheld:
        complain(
            "check", "nothing was changed: --fix asks in a terminal; with --yes it does not ask"
        )
    return _conclude(done, arguments)


class _Command:
    """What the command says and asks while it checks. `.is_withheld` tells whether a change was not
    made because nobody could be asked (bool).
    """

    def __init__(self, arguments: argparse.Namespace, user: Account | None, bar: Progress) -> None:
        self.arguments = arguments
        self.is_withheld = False
        self._bar = bar
        methods = ("GET", "HEAD", *(["POST"] if arguments.post else []))
        self._checks = Checks(user, arguments.path, methods, self._announce)
        self._said: list[Finding] = []  # what is wrong with a directory is said once
        self._looked: set[str] = set()  # directories

    def may_run(self, path: str, count: int) -> bool:
        """Whether scripts are run: one that is named, yes; those of a directory if somebody says so."""
        if self.arguments.no_run:
            return False
        if self.arguments.run or not os.path.isdir(path):
            return True
        methods = " and ".join(", ".join(self._checks.methods).rsplit(", ", 1))
        shown = printable(path)
        return self._can_ask() and self._ask(
            f"Run the {count} scripts in {shown} for a sample {methods}?"
        )

    def check_one(self, file: str, path: str, tree: Tree, may_run: bool, waiting: int) -> Checkup:
        """Check a script, and directories that are new; with --fix, mend them first. `waiting` is how
        many scripts there still are, with this one.
        """
        places = dict.fromkeys((os.path.dirname(file) or ".", path))
        new = [each for each in places if each not in self._looked and os.path.isdir(each)]
        self._looked.update(new)
        self._checks.begin(waiting)
        checkup = self._checks.look(file, may_run=may_run)
        if self.arguments.fix and mend(checkup, _exposed(new), tree, self._agrees, self._refused):
            mended = checkup.mended
            checkup = self._checks.look(file, may_run=may_run)
            checkup.mended = mended
        if may_run:
            self._checks.run(checkup)
            if self.arguments.reuse:
                self._try_reuse(checkup)
        found = checkup.findings + _exposed(new)
        checkup.findings = [each for each in found if each.file == file or each not in self._said]
        self._said += found
        if not self.arguments.json:
            if checkup.samples:
                self._say(f"{printable(file)}: {printable(checkup.measures())}\n")
            self._bar.clear()
            _print(checkup)
        return checkup

    def _try_reuse(self, checkup: Checkup) -> None:
        """Find out what keeps one process from serving several requests."""
        self._say(f"{printable(checkup.file)}: running it for some {QUIET} requests with --reuse\n")
        seen = self._checks.try_reuse(checkup)
        if seen is not None and seen.is_reused:
            self._say(
                f"{printable(checkup.file)}: with --reuse a process serves several requests: no "
                f"change was seen after {seen.asked} requests\n"
            )

    def _say(self, text: str) -> None:
        self._bar.clear()
        write_log(text)

    def _announce(self, file: str, account: Account, why: str) -> None:
        if not self.arguments.json:
            reason = f" ({why})" if why else ""
            methods = ", ".join(self._checks.methods)
            self._say(f"{printable(file)}: running it as {account.name} for {methods}{reason}\n")

    def _agrees(self, change: Mend) -> bool:
        """Show a change, and ask whether it is made."""
        shown = f"{printable(change.file)}: {change.what}"
        if self.arguments.yes:
            self._say(f"mending {shown}\n")
            return True
        if self._can_ask():
            return self._ask(f"mend {shown}?")
        self._say(f"could mend {shown}\n")
        self.is_withheld = True
        return False

    def _refused(self, change: Mend, why: str) -> None:
        self._say(f"not mended: {printable(change.file)}: {printable(why)}\n")

    def _can_ask(self) -> bool:
        return not self.arguments.json and is_terminal(sys.stdin) and is_terminal(sys.stderr)

    def _ask(self, question: str) -> bool:
        self._say(f"{question} [y/N] ")
        with self._checks.paused():
            return sys.stdin.readline().strip().lower() in ("y", "yes")


def _exposed(directories: list[str]) -> list[Finding]:
    return [finding for each in directories for finding in check_exposed(each)]


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


def _print(checkup: Checkup) -> None:
    shown, findings = printable(checkup.file), checkup.findings
    good = (
        "nothing is wrong" if checkup.samples else "nothing is wrong in its source; it was not run"
    )
    good = f"{shown}: {paint(good, 'ok', sys.stdout)}"
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
