"""`import cgi` and `import cgitb` in this process: a finder on `sys.meta_path` (importlib).

It finds the modules `cgikit.compat.cgi` and `cgikit.compat.cgitb` themselves, under their old names, so
there is one class `FieldStorage` however it is imported. They have their own spec and loader, so
`importlib.reload` works. Nothing is imported until a script imports it.
"""

import sys
from _thread import RLock  # what `threading` has, without importing that
from importlib.machinery import ModuleSpec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType
    from typing import Any

NAMES = ("cgi", "cgitb")
_changing = RLock()  # `sys.meta_path`, by one thread at a time


class _Loader:
    """Loads a module of this package under its old name.

    The module is complete before it gets the old name. Otherwise another thread that imports it at the
    same moment would get an empty module, and keep it.
    """

    def __init__(self) -> None:
        self._spec: ModuleSpec | None = None

    def create_module(self, spec: ModuleSpec) -> "ModuleType":
        """Return our module. importlib gives it the old name's spec."""
        module = _ours(spec.name)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: "ModuleType") -> None:
        """Give the module its own spec back, so that it can be reloaded."""
        module.__spec__ = self._spec


class _Finder:
    """Finds the old names. `replaced` are the modules that had them before, for `uninstall`."""

    def __init__(self) -> None:
        self.replaced: dict[str, ModuleType] = {}
        self.replaces = False

    def _is_found_by_others(self, *asked: "Any") -> bool:
        """Whether another finder has a module of this name. A directory is not a module: Python's own
        `cgi` came before those, so a directory of scripts may have that name.
        """
        if self.replaces:
            return False
        for finder in sys.meta_path:
            find = None if finder is self else getattr(finder, "find_spec", None)
            spec = find(*asked) if find is not None else None
            if spec is not None and spec.loader is not None:
                return True
        return False

    def find_spec(
        self,
        fullname: str,
        path: "Sequence[str] | None" = None,
        target: "ModuleType | None" = None,
    ) -> ModuleSpec | None:
        """Return the spec of an old name, or None for all others (see `importlib.abc`)."""
        if fullname not in NAMES or self._is_found_by_others(fullname, path, target):
            return None
        return ModuleSpec(fullname, _Loader(), origin=f"cgikit.compat.{fullname}")  # type: ignore[arg-type]


def install(*, replace: bool = False) -> bool:
    """Let `import cgi` and `import cgitb` find cgikit's modules from now on, in all threads of this
    process; return whether at least one of them does (bool).

    Modules that Python already finds, those of the standard library or of another package, take
    precedence. With `replace` cgikit's come first and replace the ones already imported; a module that
    has executed `import cgi` before keeps what it has. A second call has no effect, except that
    `replace` is applied. The inverse is `uninstall`.
    """
    with _changing:
        finder = _installed()
        if finder is None:
            finder = _Finder()
            sys.meta_path.insert(0, finder)
        if replace:
            finder.replaces = True
            _put_first(finder)
            for name in NAMES:
                there = sys.modules.get(name)
                if there is not None and not _is_ours(there):
                    finder.replaced[name] = there
                    sys.modules[name] = _ours(name)
            return True
    return is_installed()


def _put_first(finder: _Finder) -> None:
    """Let a finder come first. It is never away: an import in another thread would fail."""
    sys.meta_path.insert(0, finder)
    for at in range(len(sys.meta_path) - 1, 0, -1):
        if sys.meta_path[at] is finder:
            del sys.meta_path[at]


def uninstall() -> None:
    """Undo `install`: later imports find what they would find without it, and the modules that it
    replaced are restored. Does nothing if `install` was not called.
    """
    with _changing:
        finder = _installed()
        if finder is None:
            return
        sys.meta_path.remove(finder)
        for name in NAMES:
            there = sys.modules.get(name)
            if there is not None and _is_ours(there):
                del sys.modules[name]
        sys.modules.update(finder.replaced)


def is_installed() -> bool:
    """Return whether `import cgi` or `import cgitb` imports cgikit's module (bool)."""
    from importlib.util import find_spec

    for name in NAMES:
        there = sys.modules.get(name)
        if there is not None:
            if _is_ours(there):
                return True
            continue
        spec = find_spec(name)
        if spec is not None and isinstance(spec.loader, _Loader):
            return True
    return False


def _installed() -> _Finder | None:
    for finder in sys.meta_path:
        if isinstance(finder, _Finder):
            return finder
    return None


def _ours(name: str) -> "ModuleType":
    __import__(f"{__package__}.{name}")
    return sys.modules[f"{__package__}.{name}"]


def _is_ours(module: "ModuleType") -> bool:
    return module.__name__.startswith(f"{__package__}.")
