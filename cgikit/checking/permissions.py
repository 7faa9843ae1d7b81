"""Whether a server's user can execute a script: its bits, its directories, its interpreter.

Also what Apache's suEXEC refuses. Only owners, groups and modes are read.
"""

import os
import stat

from .account import Account
from .finding import Finding
from .firstline import first_line, shell_word

_SUEXEC = "the security model of Apache's suEXEC"


def check_permissions(file: str, user: Account) -> list[Finding]:
    """Return what keeps a user from executing a script, most important first (list of `Finding`)."""
    try:
        status = os.stat(file)
    except OSError as error:
        return [Finding("missing", f"{file}: {error.strerror}.", file=file)]
    if not stat.S_ISREG(status.st_mode):
        # No command: what is right for a script can break a machine if it is done to a device
        return [Finding("no-file", f"{file} is not a regular file, so it is no script.", file=file)]
    found = _closed(file, user, "script")
    if not user.may_execute(status):
        found.append(_not_executable(file, status, user))
    elif not user.may_read(status) and _is_a_script(file):
        what = f"{user.name} cannot read {os.path.basename(file)}, and its interpreter reads it."
        found.append(_finding(file, "not-readable", what, mode="a+r"))
    return found + _interpreter(file, user) + _writable(file, status)


def _not_executable(file: str, status: os.stat_result, user: Account) -> Finding:
    name = os.path.basename(file)
    if status.st_mode & 0o111:
        what = f"{user.name} may not execute {name}."
    else:
        what = f"{name} is not executable."
    evidence = f"mode {stat.filemode(status.st_mode)}, owner {status.st_uid}"
    return _finding(file, "not-executable", what, mode="a+rx", evidence=evidence)


def _closed(file: str, user: Account, role: str) -> list[Finding]:
    """Return a finding if a directory on the way to a file is closed to the user."""
    try:
        closed = user.closed_directory(file)
    except OSError:
        return []
    if closed is None:
        return []
    what = f"{user.name} cannot enter {closed}, so it cannot reach the {role} {file}."
    if role == "interpreter":
        fix = "Use an interpreter that all users can reach, such as /usr/bin/python3."
        return [Finding("interpreter-out-of-reach", what, fix=fix, file=closed)]
    fix = f"chmod a+x {shell_word(closed)}, or move the script."
    return [Finding("directory-closed", what, fix=fix, rule="path_resolution(7)", file=closed)]


def _interpreter(file: str, user: Account) -> list[Finding]:
    """Return a finding if the user cannot reach or execute what the first line names."""
    line = os.fsdecode(first_line(file) or b"")
    words = line[2:].split() if line.startswith("#!") else []
    if not words or not os.path.isfile(words[0]):
        return []  # another check says so
    found = _closed(words[0], user, "interpreter")
    if not found and not user.may_execute(os.stat(words[0])):
        what = f"{user.name} may not execute the interpreter {words[0]}."
        fix = "Use an interpreter that all users can execute, such as /usr/bin/python3."
        found = [Finding("interpreter-out-of-reach", what, fix=fix, file=words[0])]
    return found


def _writable(file: str, status: os.stat_result) -> list[Finding]:
    """Return advice where others can write: whoever can write a script, or into its directory, decides
    what the server runs, and suEXEC refuses such scripts.
    """
    found = []
    directory = os.path.dirname(os.path.abspath(file))
    for path, mode in ((file, status.st_mode), (directory, os.stat(directory).st_mode)):
        # In a sticky directory nobody replaces another one's files; /tmp has to be one
        if mode & 0o022 and not (stat.S_ISDIR(mode) and mode & stat.S_ISVTX):
            name = os.path.basename(path) or path
            others = "everybody" if mode & 0o002 else "its group"
            what = f"{name} can be written by {others}; suEXEC refuses such scripts."
            evidence = f"mode {stat.filemode(mode)}"
            found.append(
                _finding(
                    path, "writable-by-others", what, mode="go-w", evidence=evidence, error=False
                )
            )
    return found


def _finding(
    file: str, kind: str, what: str, *, mode: str, evidence: str = "", error: bool = True
) -> Finding:
    command = fix = f"chmod {mode} {shell_word(file)}"
    if os.path.islink(file):  # chmod would follow it, to a file that somebody else has chosen
        command = ""
        fix = f"It is a symbolic link to {os.path.realpath(file)}: see whether that is meant."
    return Finding(
        kind,
        what,
        is_error=error,
        evidence=evidence,
        fix=fix,
        rule="execve(2)" if error else _SUEXEC,
        file=file,
        command=command,
    )


def _is_a_script(file: str) -> bool:
    """Whether an interpreter runs the file: a compiled program need not be readable."""
    line = first_line(file)
    return line is None or line.startswith(b"#!")
