"""Finds out which modules of some packages a program needs, and writes them into a folder.

For hosts without pip: the folder goes onto `sys.path`, or beside a script, and nothing has to be
installed. The source of each module is searched for imports, also inside functions; nothing is imported
or run. The caller decides which packages are carried.
"""

import ast
import os
import py_compile
import shutil
import sys
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from importlib.machinery import PathFinder
from importlib.metadata import PackageNotFoundError, files, packages_distributions

import cgikit

_LICENSE = ("license", "licence", "copying", "notice")


class Needed:
    """What a program needs: `modules` are files by module name (dict of str), `others` the packages
    that it imports besides, which are neither carried nor Python's own (sorted list).
    """

    def __init__(self, modules: dict[str, str], others: Collection[str]) -> None:
        self.modules = modules
        self.others = sorted(set(others) - sys.stdlib_module_names - {"__future__"})


def needed(names: Iterable[str], carried: Collection[str]) -> Needed:
    """Return what the modules `names` need, themselves included, of the packages `carried`.

    A string that is exactly the name of such a module counts as an import of it, because modules that
    are imported on first use are named in this way. Raises `ModuleNotFoundError` for one of `names`
    that does not exist, `SyntaxError` for one that cannot be parsed.
    """
    files_by_name: dict[str, str] = {}
    others: set[str] = set()
    waiting = list(names)
    for name in waiting:
        if find(name) is None:
            raise ModuleNotFoundError(f"there is no module named {name!r}", name=name)
    while waiting:
        name = waiting.pop()
        if name in files_by_name:
            continue
        if name.partition(".")[0] not in carried:
            others.add(name.partition(".")[0])
            continue
        file = find(name)
        if file is None:  # `from module import name`: not a module
            package, _, public = name.rpartition(".")
            if package == "cgikit" and public in cgikit.__all__:
                waiting.append(getattr(cgikit, public).__module__)
            continue
        if "." in name:
            waiting.append(name.rpartition(".")[0])
        files_by_name[name] = file
        waiting.extend(_imports(name, file, carried))
    return Needed(files_by_name, others)


def write(
    directory: str, modules: dict[str, str], finish: Callable[[str], None] | None = None
) -> None:
    """Write modules into a new folder that can be put on `sys.path`: with the licences of their
    packages, and compiled for this Python. `finish` gets the folder's path when all is in it, and
    may add files.

    The folder appears complete or not at all. `FileExistsError` if the name already exists.
    """
    if os.path.lexists(directory):
        raise FileExistsError(17, "this name already exists", directory)
    above = os.path.dirname(os.path.abspath(directory))
    building = tempfile.mkdtemp(prefix=f".{os.path.basename(directory)}-", dir=above)
    try:
        os.chmod(building, 0o777 & ~_umask())
        for name, file in sorted(modules.items()):
            _copy(building, name, file)
        for package in sorted({name.partition(".")[0] for name in modules}):
            _copy_licenses(building, package)
        if finish is not None:
            finish(building)
        os.rename(building, directory)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _copy(directory: str, name: str, file: str) -> None:
    place = os.path.join(directory, *name.split("."))
    if os.path.basename(file) == "__init__.py":
        os.makedirs(place, exist_ok=True)
        target = os.path.join(place, "__init__.py")
    else:
        os.makedirs(os.path.dirname(place), exist_ok=True)
        target = f"{place}.py"
    shutil.copyfile(file, target)
    # Checked by hash: files that are uploaded to another machine get new times there
    mode = py_compile.PycInvalidationMode.CHECKED_HASH
    py_compile.compile(
        target, dfile=os.path.join(*name.split(".")) + ".py", doraise=True, invalidation_mode=mode
    )


def licenses(package: str) -> dict[str, str]:
    """Return the files with the licences of the distribution that has a package, by the names that
    they get beside those of others. Empty if it says nothing, or was not installed.
    """
    found = {}
    for distribution in sorted({package, *packages_distributions().get(package, [])}):
        try:
            listed = files(distribution) or []
        except PackageNotFoundError:
            continue
        for path in listed:
            if path.name.lower().startswith(_LICENSE) and ".dist-info" in str(path):
                source = os.fspath(path.locate())
                if os.path.isfile(source):
                    found[f"{package}-{path.name}"] = source
    return found


def _copy_licenses(directory: str, package: str) -> None:
    for name, source in licenses(package).items():
        shutil.copyfile(source, os.path.join(directory, name))


def find(name: str, path: Sequence[str] | None = None) -> str | None:
    """Return the file of a module (str), or None if it does not exist or is not written in Python.

    `path` are the directories that it is looked for in: `sys.path` by default.
    """
    spec = None
    parts = name.split(".")
    for count in range(1, len(parts) + 1):
        spec = PathFinder.find_spec(".".join(parts[:count]), path)
        if spec is None:
            return None
        path = spec.submodule_search_locations
        if path is None and count < len(parts):
            return None  # not a package: `find_spec` would search `sys.path`
    origin = spec.origin if spec is not None else None
    return origin if origin is not None and origin.endswith(".py") else None


def _imports(name: str, file: str, carried: Collection[str]) -> Iterator[str]:
    """Yield the names that a module imports, except those for type checkers."""
    with open(file, "rb") as stream:
        tree = ast.parse(stream.read(), file)
    package = name if os.path.basename(file) == "__init__.py" else name.rpartition(".")[0]
    prefixes = tuple(f"{top}." for top in carried)
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and _is_for_checkers(node.test):
            waiting.extend(node.orelse)
            continue
        # A name in a comparison is not an import
        compared = isinstance(node, ast.Compare)
        waiting.extend(
            child
            for child in ast.iter_child_nodes(node)
            if not (compared and isinstance(child, ast.Constant))
        )
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from imported_from(node, package)
        elif isinstance(node, ast.Constant) and _is_name(node.value, prefixes):
            yield str(node.value)


def imported_from(node: ast.ImportFrom, package: str) -> Iterator[str]:
    """Yield the module that `from … import` names, then each name in it, which may be a module too.

    `package` is that of the module with the statement: relative imports begin there.
    """
    base = node.module or ""
    if node.level:
        parts = package.split(".")
        above = parts[: len(parts) - node.level + 1]
        base = ".".join([*above, *([node.module] if node.module else [])])
    if base:
        yield base
        for alias in node.names:
            yield f"{base}.{alias.name}"


def _is_for_checkers(test: ast.expr) -> bool:
    return ast.unparse(test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}


def _is_name(value: object, prefixes: tuple[str, ...]) -> bool:
    """Whether a constant may be the name of a carried module."""
    if not isinstance(value, str) or not value.startswith(prefixes):
        return False
    return value.replace(".", "").isidentifier()
