"""The kind: a command in a message. Whoever reads it follows it, as root perhaps.

`chown -R 0` was told to root about the store of www-data, and `chmod 600 /etc/passwd` about a path that
was no database. Every function with a command in its text is listed, with the reason why following it
does no harm; a new one fails until it is there.
"""

import ast
import re
from collections.abc import Iterator

import house
import pytest

#: What begins a command that changes something.
COMMAND = re.compile(
    r"(?:^|[ `(:])(?:sudo|chown|chmod|chgrp|rm|mv|ln|kill|echo [^;]*>|install -d) "
)

OWN_TREE = (
    "about a file or directory below the root that is served, and only adds what servers need"
)
#: Each function that advises a command, and why it may be followed.
ADVISED = {
    "accelerate.directory.": "about the directory that the command makes, and those above it",
    "accelerate.installation.check": "about the script that the command line names",
    "checking.": OWN_TREE,
    "cli.config.": "the commands that set a server up, printed because somebody asked for them",
    "cli.new._warn_root": "about the new data directory alone; followed in test_cli_new.py",
    "cli.options.": OWN_TREE,
    "counters._number_advice": "keeps the number that is in the file, and is for nothing else",
    "host.": OWN_TREE,
    "htpasswd.Htpasswd._read": "takes a right away, and from the one file that the script names",
    "obstacle.obstacle": "names the one file that the script itself was given, and its own user",
    "testing.scripts.": "about the script that the test itself names",
    "sessions.owner.shared": "only for what looks like a store; followed in test_sessions_owner.py",
    "sessions.owner.stranger": "nothing is given to root; followed in test_sessions_owner.py",
    "sessions.sqlite.SQLiteStore._prepare": "only for a database of ours; followed there, too",
}


def advising(module: house.Module) -> Iterator[str]:
    """The functions with a command in a text that is no docstring."""
    for place, node in house.nodes(module.tree, module.name):
        documented = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if isinstance(node, ast.stmt) and not documented and not hasattr(node, "body"):
            for each in ast.walk(node):
                text = each.value if isinstance(each, ast.Constant) else ""
                if isinstance(text, str) and COMMAND.search(text):
                    yield place


def reason(place: str) -> str | None:
    """The entry of the table for a place: its own, or that of its package or module."""
    for name in ADVISED:
        if place == name or (name.endswith(".") and place.startswith(name)):
            return name
    return None


def test_9_1_5_every_command_that_is_advised_does_no_harm() -> None:
    found = {place for module in house.read() for place in advising(module)}
    assert {place for place in found if not reason(place)} == set()
    assert set(ADVISED) == {reason(place) for place in found}


@pytest.mark.parametrize(
    "source",
    [
        "def f(): return f'change its owner: chown {user} {path}'",
        "def f():\n    raise E(f'{path}: chmod 600 {path}')",
        "def f():\n    advice = 'run: sudo -u x y'",
        "def f(): return 'begin anew: echo 0 > x'",
    ],
)
def test_a_command_is_found(source: str) -> None:
    assert set(advising(house.Module("m", source))) == {"m.f"}


@pytest.mark.parametrize(
    "source", ["def f():\n    'run chmod 1 x'", "def f(): return 'chmods'", "os.chmod(1, 2)"]
)
def test_what_is_no_command_is_none(source: str) -> None:
    assert set(advising(house.Module("m", source))) == set()
