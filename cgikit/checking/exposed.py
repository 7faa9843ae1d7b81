"""Data, secrets and leftovers beside scripts, which a server hands out to whoever asks for them.

A server that serves a directory serves every file in it that is not a script. Advice alone: whether the
directory is served as files, only its configuration says; in a cgi-bin, Apache runs them instead.
"""

import os
import shlex

from .finding import Finding
from .htaccess import Denied

DENY = "Require all denied\n"  # for the .htaccess of a directory
_DIRECTORIES = ("data", "private", "sessions", ".git", ".hg", ".svn")
_FILES = (".env", ".htpasswd", "id_ed25519", "id_rsa")
_ENDS = (
    *(".bak", ".db", ".key", ".log", ".old", ".orig", ".pem", ".sql", ".sqlite", ".sqlite3"),
    *(".swp", "~"),
)
_MAX_NAMES = 10_000  # of one directory
_SHOWN = 5


def check_exposed(directory: str) -> list[Finding]:
    """Return advice on what lies in a directory of scripts and is not for visitors (list of `Finding`):
    one for each directory in it, and one for all files.
    """
    directories, files = _found(directory)
    if not directories and not files:
        return []
    denied = [Denied(place) for place in _upwards(directory)]
    open_directories = [
        name
        for name in directories
        if not any(each.denies(name, is_directory=True) for each in denied)
        and not Denied(os.path.join(directory, name)).everything
    ]
    open_files = [name for name in files if not any(each.denies(name) for each in denied)]
    found = [_of_directory(directory, name) for name in open_directories]
    return found + ([_of_files(directory, open_files)] if open_files else [])


def _found(directory: str) -> tuple[list[str], list[str]]:
    """Return the names of directories and of files that are not for visitors, sorted."""
    directories, files = [], []
    try:
        with os.scandir(directory) as entries:
            for entry, _ in zip(entries, range(_MAX_NAMES), strict=False):
                if entry.is_symlink():
                    continue  # Apache follows it only if its owner allows that
                if entry.is_dir():
                    if entry.name in _DIRECTORIES and _has_files(entry.path):
                        directories.append(entry.name)
                elif entry.name in _FILES or entry.name.endswith(_ENDS):
                    files.append(entry.name)
    except OSError:
        pass  # what cannot be listed is not judged
    return sorted(directories), sorted(files)


def _has_files(directory: str) -> bool:
    """Whether something is in a directory, or may be: this user cannot look into each."""
    try:
        return bool(os.listdir(directory))
    except OSError:
        return True


def _upwards(directory: str) -> list[str]:
    """Return the directory and those above it: the `.htaccess` of each counts."""
    places = [os.path.abspath(directory)]
    while os.path.dirname(places[-1]) != places[-1]:
        places.append(os.path.dirname(places[-1]))
    return places


def _of_directory(directory: str, name: str) -> Finding:
    file = os.path.join(directory, name, ".htaccess")
    what = (
        f"{name}/ lies beside the scripts: a server that serves this directory hands out its files."
    )
    command = f"printf 'Require all denied\\n' >{shlex.quote(file)}"
    fix = f"{command}  (Apache reads it if AllowOverride lets it; better: move {name}/ elsewhere)"
    if os.path.lexists(file):
        fix = f"Write into {name}/.htaccess: Require all denied  (better: move {name}/ elsewhere)"
        command = ""
    return _advice(os.path.join(directory, name), what, fix, command)


def _of_files(directory: str, names: list[str]) -> Finding:
    shown = ", ".join(names[:_SHOWN])
    if len(names) > _SHOWN:
        shown += f" and {len(names) - _SHOWN} more"
    verb = "lies" if len(names) == 1 else "lie"
    what = f"{shown} {verb} beside the scripts: a server that serves this directory hands that out."
    ends = {name: "~" if name.endswith("~") else os.path.splitext(name)[1] for name in names}
    patterns = [
        rf"{end}$" if end == "~" else rf"\{end}$" for end in sorted(set(ends.values())) if end
    ]
    patterns += [rf"^{name.replace('.', chr(92) + '.')}$" for name, end in ends.items() if not end]
    pattern = "|".join(patterns)
    fix = (
        f'In .htaccess: <FilesMatch "({pattern})"> Require all denied </FilesMatch>, on three lines  '
        "(better: move them elsewhere)"
    )
    return _advice(directory, what, fix, "")


def _advice(file: str, what: str, fix: str, command: str) -> Finding:
    return Finding(
        "exposed",
        what,
        is_error=False,
        evidence="In a cgi-bin, Apache runs files and shows none; nginx reads no .htaccess.",
        fix=fix,
        file=file,
        command=command,
    )
