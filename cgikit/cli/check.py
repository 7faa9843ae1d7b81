"""`cgikit check SCRIPT… | DIR`: what is wrong with scripts, and what could be better.

Only the command is here. What is found without running a script is in `cgikit.checking`; what a sample
run shows, in `cgikit.probing`.
"""

import argparse
import os
import sys
import time

from cgikit.characters import printable
from cgikit.checking import report, script
from cgikit.checking.account import Account
from cgikit.checking.exposed import check_exposed
from cgikit.checking.finding import Finding
from cgikit.checking.identity import who_runs
from cgikit.probing.judge import judge
from cgikit.probing.sample import PATH, run_sample
from cgikit.process import write_log

from .commandline import complain
from .terminal import paint

_SECONDS = 30.0  # for everything
_ONE_RUN = 10.0  # for each sample request


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add this command's parser to the sub-parsers of the command line."""
    parser = commands.add_parser(
        "check",
        help="say what keeps scripts from working, and how to mend it",
        description="Say what keeps scripts from working, and how to mend it. A script that is named "
        "is also run for a sample GET and HEAD, as a server would run it.",
        epilog="Example: cgikit check --user www-data cgi-bin/hello.py",
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
    deadline = time.monotonic() + _SECONDS
    found: dict[str, list[Finding]] = {}
    said: list[Finding] = []  # what is wrong with a directory is said once
    looked: set[str] = set()  # directories
    for path in arguments.paths:
        try:
            files = script.scripts(path) if os.path.isdir(path) else [path]
            os.stat(path)
        except OSError as error:
            return _fail(f"{path}: {error.strerror}")
        if not files:
            return _fail(f"{path} has no scripts: no file is executable or begins with #!")
        may_run = _may_run(arguments, path, len(files))
        for file in files:
            once = _check_one(file, user, arguments, may_run, deadline)
            for directory in (os.path.dirname(file) or ".", path):
                if directory not in looked and os.path.isdir(directory):
                    looked.add(directory)
                    once += check_exposed(directory)
            found[file] = [each for each in once if not (each.file != file and each in said)]
            said += found[file]
            if not arguments.json:
                _print(file, found[file])
    everything = [finding for findings in found.values() for finding in findings]
    if arguments.json:
        print(report.as_json(found))
    else:
        print(report.summary(len(found), everything))
    wrong = everything if arguments.strict else [each for each in everything if each.is_error]
    return 1 if wrong else 0


def _check_one(
    file: str, user: Account | None, arguments: argparse.Namespace, may_run: bool, deadline: float
) -> list[Finding]:
    account, why = (user, "") if user else who_runs(file, arguments.path)
    left = min(_ONE_RUN, deadline - time.monotonic())
    found = script.check_script(file, account, arguments.path, may_run=may_run, seconds=left)
    if not may_run or any(finding.is_error for finding in found):
        return found  # a run would show the same once more
    methods = ["GET", "HEAD", *(["POST"] if arguments.post else [])]
    if not arguments.json:
        reason = f" ({why})" if why else ""
        write_log(
            f"{printable(file)}: running it as {account.name} for {', '.join(methods)}{reason}\n"
        )
    return found + _run(file, account, methods, deadline, arguments.path)


def _run(
    file: str, account: Account, methods: list[str], deadline: float, path: str
) -> list[Finding]:
    """Return what sample runs show, each thing once."""
    found: list[Finding] = []
    for method in methods:
        left = min(_ONE_RUN, deadline - time.monotonic())
        if left <= 0:
            what = f"There was no time left to run {os.path.basename(file)} for {method}."
            fix = f"Check it alone: all of a check takes at most {_SECONDS:g} seconds."
            found.append(Finding("not-run", what, is_error=False, fix=fix, file=file))
            break
        try:
            shown = judge(file, run_sample(file, method, account, left, path))
        except OSError as error:
            what = f"{os.path.basename(file)} cannot be started: {error.strerror}."
            return [*found, Finding("not-started", what, file=file)]
        kinds = {finding.kind for finding in found}
        found += [finding for finding in shown if finding.kind not in kinds]
        if "endless" in {finding.kind for finding in found}:
            break
    return found


def _may_run(arguments: argparse.Namespace, path: str, count: int) -> bool:
    """Whether scripts are run: one that is named, yes; those of a directory if somebody says so."""
    if arguments.no_run:
        return False
    if arguments.run or not os.path.isdir(path):
        return True
    if arguments.json or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    shown = printable(path)
    write_log(f"Run the {count} scripts in {shown} for a sample GET and HEAD? [y/N] ")
    return sys.stdin.readline().strip().lower() in ("y", "yes")


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
