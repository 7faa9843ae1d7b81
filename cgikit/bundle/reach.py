"""What scripts use: the modules beside them, installed packages, names of cgikit, files that are named.

The sources are read, nothing is imported or run. What cannot be carried is found here too: compiled
extensions, which fit one machine only, and modules that are nowhere.
"""

import ast
import os
import sys
from collections.abc import Iterator
from importlib.machinery import EXTENSION_SUFFIXES, PathFinder

from .. import bundling
from ..files import read
from .firstlines import lacks
from .library import CARRIED

_FORGIVING = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}
_DYNAMIC = {"__import__", "import_module", "importlib.import_module"}
_MAX_NAME = 200  # characters of a text that may be the name of a file


class Reached:
    """What some scripts use. `own` are the files of modules below their directory, `packages` the files
    or directories of installed ones by name, `names` all identifiers, `texts` all short texts, in the
    order in which they were found; `lacking` are the names that the module `site` makes; `problems`
    says what cannot be carried, `without` what is left out because the scripts can do without it.
    """

    def __init__(self, directory: str) -> None:
        self.directory = os.path.realpath(directory)
        self.own: dict[str, str] = {}
        self.packages: dict[str, str] = {}
        self.names: set[str] = set()
        self.texts: list[str] = []
        self.lacking: set[str] = set()
        self.problems: list[str] = []
        self.without: list[str] = []
        self._seen: set[str] = set()

    def add(self, file: str, source: bytes) -> None:
        """Add a script. Raises `SyntaxError` for a source that cannot be parsed."""
        self._follow(file, source, "", own=True)

    def include(self, name: str) -> None:
        """Add a module that no source names."""
        self._import(name, "--include", optional=False)

    def _follow(self, file: str, source: bytes, package: str, *, own: bool) -> None:
        tree = ast.parse(source, file)
        self.lacking |= lacks(tree)
        for node in ast.walk(tree) if own else ():
            if isinstance(node, ast.Name):
                self.names.add(node.id)
            elif isinstance(node, ast.Attribute):
                self.names.add(node.attr)
            elif isinstance(node, ast.keyword) and node.arg:
                self.names.add(node.arg)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                self.texts += [node.value] if 0 < len(node.value) <= _MAX_NAME else []
        for name, line, optional in sorted(imports(tree, package), key=_line):
            self._import(name, f"{os.path.relpath(file, self.directory)}:{line}", optional=optional)

    def _import(self, name: str, where: str, *, optional: bool) -> None:
        top = name.partition(".")[0]
        spec = PathFinder.find_spec(top, [self.directory])
        own = spec is not None and spec.origin is not None
        if top in CARRIED and (not own or top == "cgikit"):
            self.names |= {name, name.rpartition(".")[2]}
            return
        if name in self._seen or top == "__future__":
            return
        self._seen.add(name)
        if not own:
            if top in sys.stdlib_module_names:
                return
            spec = PathFinder.find_spec(top)
        if spec is None or (spec.origin is None and not spec.submodule_search_locations):
            self._lacks(name, where, f"{top} is not found", optional)
            return
        for part in _parents(name):
            path = [self.directory] if own else None
            file = bundling.find(part, path)
            if file is not None and part not in self._seen - {name}:
                self._take(part, file, own)
            elif file is None and _is_compiled(part, path):
                why = f"{part} is a compiled extension, which runs on this kind of machine only"
                self._lacks(part, where, why, optional)

    def _take(self, name: str, file: str, own: bool) -> None:
        """Carry a module, and look at what it imports."""
        self._seen.add(name)
        is_package = os.path.basename(file) == "__init__.py"
        if own:
            self.own[name] = file
        else:
            top = name.partition(".")[0]
            found = bundling.find(top) or file
            self.packages[top] = (
                os.path.dirname(found) if os.path.basename(found) == "__init__.py" else found
            )
        source = read(file) or b""
        self._follow(file, source, name if is_package else name.rpartition(".")[0], own=own)

    def _lacks(self, name: str, where: str, why: str, optional: bool) -> None:
        if optional:
            self.without.append(f"{name}: {why}; {where} can do without it")
        else:
            self.problems.append(f"{where}: {why}")


def imports(tree: ast.Module, package: str) -> Iterator[tuple[str, int, bool]]:
    """Yield each module that a source imports, the line, and whether it can do without: the import
    stands in a `try` that catches its failure.

    For `from a import b` both `a` and `a.b` are yielded; the second may be no module, so it is one that
    can be done without.
    """
    waiting: list[tuple[ast.AST, bool]] = [(tree, False)]
    while waiting:
        node, optional = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            waiting.extend((child, optional) for child in node.orelse)
            continue
        if isinstance(node, ast.Try) and any(_forgives(one) for one in node.handlers):
            waiting.extend((child, True) for child in node.body)
            rest = [*node.handlers, *node.orelse, *node.finalbody]
            waiting.extend((child, True) for child in rest)
            continue
        waiting.extend((child, optional) for child in ast.iter_child_nodes(node))
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno, optional
        elif isinstance(node, ast.ImportFrom):
            for place, name in enumerate(bundling.imported_from(node, package)):
                yield name, node.lineno, optional or place > 0
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in _DYNAMIC and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str) and first.value:
                yield first.value, node.lineno, optional


def _line(found: tuple[str, int, bool]) -> int:
    return found[1]


def _forgives(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    return any(
        isinstance(node, ast.Name) and node.id in _FORGIVING for node in ast.walk(handler.type)
    )


def _parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts) + 1)]


def _is_compiled(name: str, path: list[str] | None) -> bool:
    """Whether a module is an extension: found, and not written in Python."""
    for part in _parents(name):
        spec = PathFinder.find_spec(part, path)
        if spec is None:
            return False
        path = list(spec.submodule_search_locations or [])
        if spec.origin is not None and spec.origin.endswith(tuple(EXTENSION_SUFFIXES)):
            return True
        if not path:
            return False
    return False
