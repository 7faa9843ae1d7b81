"""`import cgi` and `import cgitb` in this process: a finder on `sys.meta_path` (importlib).

What it finds are the modules `cgikit.compat.cgi` and `cgikit.compat.cgitb` themselves, under their old
names: one class `FieldStorage`, whichever way it was imported. They have their own spec and loader, so
that `importlib.reload` works. Nothing is imported before a script asks for it.
"""

import sys
from importlib.machinery import ModuleSpec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

NAMES = ("cgi", "cgitb")


class _Loader:
    """Gives a module of this package where an old name is imported.

    It is whole before it has the old name. Another thread that imports it at the same moment would get
    and keep an empty one that is filled, or exchanged, afterwards.
    """

    def __init__(self) -> None:
        self._spec: ModuleSpec | None = None

    def create_module(self, spec: ModuleSpec) -> "ModuleType":
        """Return our module. importlib gives it the old name's spec."""
        module = _ours(spec.name)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: "ModuleType") -> None:
        """Give the module its own spec back, by which it can be reloaded."""
        module.__spec__ = self._spec


class _Finder:
    """Finds the old names. `replaced` are the modules that had them before, to be put back."""

    def __init__(self) -> None:
        self.replaced: dict[str, ModuleType] = {}

    def find_spec(
        self,
        fullname: str,
        path: "Sequence[str] | None" = None,
        target: "ModuleType | None" = None,
    ) -> ModuleSpec | None:
        """Return the spec of an old name, None for all others (see `importlib.abc`)."""
        if fullname not in NAMES:
            return None
        return ModuleSpec(fullname, _Loader(), origin=f"cgikit.compat.{fullname}")  # type: ignore[arg-type]


def install(*, replace: bool = False) -> bool:
    """Let `import cgi` and `import cgitb` find cgikit's from now on, in all threads of this process;
    return whether they do (bool).

    Only where Python finds none, so that the standard library's, or those of another package, stay
    where they are: False is returned then, if that is so for both. With `replace` ours come first, and
    take the place of what was imported already; a module that has done `import cgi` before keeps
    what it has. Calling it again changes nothing, but that `replace` is honoured. The inverse is
    `uninstall`.
    """
    finder = _installed()
    if finder is None:
        finder = _Finder()
    else:
        sys.meta_path.remove(finder)
    if not replace and not finder.replaced:
        sys.meta_path.append(finder)
        return is_installed()
    sys.meta_path.insert(0, finder)
    for name in NAMES:
        there = sys.modules.get(name)
        if there is not None and not _is_ours(there):
            finder.replaced[name] = there
            sys.modules[name] = _ours(name)
    return True


def uninstall() -> None:
    """Undo `install`: later imports find what they would without it, and modules that it replaced are
    there again. Nothing happens if it was not called.
    """
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
    """Tell whether `import cgi` or `import cgitb` gives cgikit's, now or when it is done."""
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
