"""Which files there are: the Python programs below a directory, and who imports whom.

Left out: hidden directories (`.git`, `.venv`), virtual environments by whatever name, installed
packages, symbolic links, the folder that `cgikit vendor` writes. A file that is named on the command
line is taken as it is.
"""

import os
import re
from collections.abc import Iterable, Iterator

from cgikit import files, vendored

_SKIPPED = frozenset("__pycache__ node_modules site-packages dist-packages __pypackages__".split())
_MARKS = ("pyvenv.cfg", "conda-meta")  # what lies in an environment
_PYTHON = (".py", ".pyw", ".pyi", ".wsgi")
_SHEBANG = re.compile(rb"#!.*python")
#: `import stem`, `from a.stem import …`, `from . import stem`, `from package import stem`
_IMPORTS = (
    r"^\s*(?:import\s[^#\n]*\b{stem}\b|from\s+[\w.]*\b{stem}\s+import\b"
    r"|from\s+(?:\.+|[\w.]*\b{package})\s+import\s*(?:\([^)]*|[^\n]*)\b{stem}\b)"
)
_HEAD = 200  # bytes; a first line is shorter


def programs(directory: str) -> Iterator[str]:
    """Yield the paths of all programs below a directory, in a fixed order.

    Raises `StorageError` for a file that cannot be read.
    """
    for place, directories, names in os.walk(os.path.normpath(directory), onerror=_raise):
        directories[:] = sorted(name for name in directories if not _is_skipped(place, name))
        yield from _programs_in(place, names)


def _raise(error: OSError) -> None:
    raise error


def _is_skipped(place: str, name: str) -> bool:
    inside = (os.path.join(place, name, mark) for mark in _MARKS)
    if name.startswith(".") or name in _SKIPPED or any(map(os.path.exists, inside)):
        return True
    return vendored.is_vendored(os.path.join(place, name))


def _programs_in(place: str, names: list[str]) -> Iterator[str]:
    for name in sorted(names):
        path = os.path.normpath(os.path.join(place, name))
        if os.path.isfile(path) and not os.path.islink(path) and is_program(path):
            yield path


def is_program(path: str) -> bool:
    """Whether a file is Python's: by its name, or by its first line."""
    if path.endswith(_PYTHON):
        return True
    return _SHEBANG.match(files.read(path, most=_HEAD) or b"") is not None


def modules_beside(path: str) -> list[str]:
    """Return the names of the modules that lie beside a program; [] for a part of a package, whose
    imports do not find them. What `cgikit vendor` wrote means the same as the old modules, and so is
    not listed.
    """
    directory, own = os.path.split(path)
    names = os.listdir(directory or ".")
    if "__init__.py" in names:
        return []
    return [
        name.removesuffix(".py")
        for name in names
        if name != own
        and (name.endswith(".py") or os.path.isfile(os.path.join(directory, name, "__init__.py")))
        and not vendored.is_vendored(os.path.join(directory, name))
    ]


def vendored_beside(paths: Iterable[str]) -> list[str]:
    """Return a module that `cgikit vendor` wrote for each directory of these programs that has one."""
    found = []
    for directory in dict.fromkeys(map(os.path.dirname, paths)):
        modules = (os.path.join(directory, name) for name in vendored.FILES)
        found += [path for path in modules if vendored.is_vendored(path)][:1]
    return found


class Users:
    """Who uses a variable of a file: the other programs among those given, and those beside it."""

    def __init__(self, given: list[str]) -> None:
        self._given = given
        self._content: dict[str, bytes] = {}

    def use(self, path: str, name: str) -> bool:
        """Whether another program may take `name` from the one at `path`."""
        stem = os.path.splitext(os.path.basename(path))[0]
        if stem == "__init__":
            return True  # what a package has is there to be taken
        if not stem.isidentifier():
            return False
        package = os.path.basename(os.path.dirname(os.path.abspath(path)))
        imports = re.compile(_IMPORTS.format(stem=stem, package=re.escape(package)).encode(), re.M)
        word = re.compile(rb"\b%b\b|\bimport\s*\*" % re.escape(name.encode()))
        return any(
            imports.search(content) and word.search(content) for content in self._others(path)
        )

    def _others(self, path: str) -> Iterator[bytes]:
        directory = os.path.dirname(path)
        beside = _programs_in(directory, os.listdir(directory or "."))
        for other in dict.fromkeys([*self._given, *beside]):
            if os.path.abspath(other) != os.path.abspath(path):
                if other not in self._content:
                    self._content[other] = files.read(other) or b""
                yield self._content[other]
