"""`cgi.py` and `cgitb.py` beside scripts whose `import cgi` broke: what `cgikit vendor` writes.

Thin ones import the installed cgikit. Self-contained ones come with a folder that has everything they
need, for hosts without pip; `bundling.py` finds out what that is. Files that cgikit did not write are
overwritten only on request.
"""

import hashlib
import os
import shutil

from . import bundling
from .errors import StorageError
from .files import atomic_write, read
from .vendored import FOLDER, LIST, MARK, is_folder, is_self_contained

NAMES = ("cgi", "cgitb")
_SEAL = "# sha256 "
_MAX_SIZE = 100_000  # bytes of such a file
_CARRIED = ("cgikit", "multipart")

_THIN = '''"""`{name}`, which Python 3.13 removed: this one is cgikit's. {mark}."""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cgikit.compat.{name} import *

if sys.version_info < (3, 11):
    raise ImportError(
        "{name}.py is cgikit's, which needs Python 3.11 or later, but %s is Python %d.%d: let the "
        "first line of the script name a newer one, or delete {name}.py: this Python has its own {name}"
        % (sys.executable, sys.version_info[0], sys.version_info[1])
    )
{found}
try:
    import cgikit.compat.{name}
except ImportError as error:
    if (getattr(error, "name", None) or "cgikit").split(".")[0] != "cgikit":
        raise
    raise ImportError("{lack}".replace("%s", sys.executable))

# Both, or a thread that imports it at the same moment gets an empty module
globals().update(vars(cgikit.compat.{name}))
sys.modules["{name}"] = cgikit.compat.{name}
'''
_LACK = (
    "{name}.py needs cgikit, and %s has none that can be used: run %s -m pip install cgikit, or write "
    "{name}.py again with cgikit vendor cgi --self-contained"
)
_LACK_FOLDER = (
    "{name}.py needs the folder {folder} beside it, whole, and %s cannot use what is there: "
    "write both again with cgikit vendor cgi --self-contained"
)
_FOUND = """
import os

_place = os.path.join(os.path.dirname(os.path.abspath(__file__)), "{folder}")
if _place not in sys.path:
    sys.path.append(_place)
"""
_STUB = '''"""{mark} --stubs: what a type checker takes for `{name}`."""

from cgikit.compat.{name} import *
'''


def text(name: str, *, self_contained: bool = False) -> str:
    """Return the source of `cgi.py` or `cgitb.py` (str), for any Python to read."""
    lack = _LACK_FOLDER if self_contained else _LACK
    content = _THIN.format(
        name=name,
        mark=MARK,
        lack=lack.format(name=name, folder=FOLDER),
        found=_FOUND.format(folder=FOLDER) if self_contained else "",
    )
    return _sealed(content)


class Replaceable(FileExistsError):
    """A file or folder is in the way that cgikit wrote and nobody changed: `force` replaces it."""


def write(
    directory: str, *, self_contained: bool = False, stubs: bool = False, force: bool = False
) -> list[str]:
    """Write the modules into a directory; return the paths of what is new, in the order written.

    What already has this content is left alone. `FileExistsError` if other files or folders have
    the names, before anything is written: `Replaceable` if cgikit wrote them and nobody changed them.
    `force` replaces those. Raises `OSError` if the system refuses, `StorageError` among them.
    """
    wanted = {
        f"{name}.pyi" if stubs else f"{name}.py": _sealed(_STUB.format(name=name, mark=MARK))
        if stubs
        else text(name, self_contained=self_contained)
        for name in NAMES
    }
    new = {os.path.join(directory, name): content for name, content in wanted.items()}
    new = {path: content for path, content in new.items() if _content(path) != content}
    blocked = [path for path in new if os.path.lexists(path)]
    folder = os.path.join(directory, FOLDER)
    modules = _needed() if self_contained else {}
    if self_contained and os.path.lexists(folder):
        modules = {} if _is_current(folder, modules) else modules
        blocked += [folder] if modules else []
    exchanged = any(is_self_contained(path) for path in blocked) and not self_contained
    for path in [*blocked, *([folder] if exchanged and os.path.lexists(folder) else [])]:
        _check_is_ours(path)
    if blocked and not force:
        raise Replaceable(17, _kind(blocked[0], self_contained), blocked[0])
    if modules:
        _write_folder(folder, modules)
    for path, content in new.items():
        atomic_write(path, content)
    if exchanged and os.path.lexists(folder):
        shutil.rmtree(folder)
    return [*([folder] if modules else []), *new]


def _check_is_ours(path: str) -> None:
    """Raise `FileExistsError` for what cgikit did not write, or somebody changed or added."""
    others = [path]
    if os.path.basename(path).startswith(FOLDER) and _is_ours(path):
        others = _foreign(path)
    elif _is_written(path):
        others = []
    if not others:
        return
    why = "cgikit did not write this, or it was changed since: move it away or delete it"
    if not os.path.islink(others[0]) and not os.access(others[0], os.R_OK):
        why = "this user cannot read it, so cgikit does not know whose it is: move it away"
    raise FileExistsError(17, why, others[0])


def _kind(path: str, self_contained: bool) -> str:
    """Return what a written file is that is in the way."""
    if os.path.basename(path) == FOLDER or is_self_contained(path) == self_contained:
        return "another version of cgikit wrote this"
    if self_contained:
        return "this is the short one, which needs cgikit installed for the scripts' Python"
    return f"this is the self-contained one, which takes cgikit from the folder {FOLDER}"


def remove(directory: str) -> list[str]:
    """Remove what `write` has written into a directory; return the removed paths. Other files, and
    files that were changed since, stay: `kept` names them. Raises `OSError` if the system refuses.
    """
    found = [path for path in _paths(directory) if _is_written(path)]
    for path in found:
        os.unlink(path)
    folder = os.path.join(directory, FOLDER)
    for place in (folder, *_halves(folder)):
        if _is_ours(place) and not _foreign(place):
            shutil.rmtree(place)
            found.append(place)
    return found


def kept(directory: str) -> list[str]:
    """Return the paths of written files that were changed since, and of other files in the folder."""
    changed = [p for p in _paths(directory) if MARK in (_content(p) or "") and not _is_written(p)]
    folder = os.path.join(directory, FOLDER)
    return changed + (_foreign(folder) if _is_ours(folder) else [])


def _paths(directory: str) -> list[str]:
    return [os.path.join(directory, name + end) for name in NAMES for end in (".py", ".pyi")]


def _sealed(content: str) -> str:
    """Return a text with its checksum as the last line."""
    return f"{content}{_SEAL}{hashlib.sha256(content.encode()).hexdigest()}\n"


def _is_written(path: str) -> bool:
    """Whether a file is exactly as this command wrote it."""
    found = _content(path) or ""
    body = found.rpartition(_SEAL)[0]
    return MARK in body and found == _sealed(body) and not os.path.islink(path)


def _sums(folder: str) -> dict[str, str]:
    """Return the checksums of all files below a folder by their paths in it; "" for a link."""
    found: dict[str, str] = {}
    for place, folders, names in os.walk(folder):
        for name in [*names, *(f for f in folders if os.path.islink(os.path.join(place, f)))]:
            path = os.path.join(place, name)
            inner = os.path.relpath(path, folder)
            found[inner] = ""
            if os.path.isfile(path) and not os.path.islink(path):
                found[inner] = hashlib.sha256(read(path) or b"").hexdigest()
    return found


def _foreign(folder: str) -> list[str]:
    """Return the files of a folder that are not as written, without what Python compiled."""
    known = _listed(folder)
    return [
        os.path.join(folder, name)
        for name, checksum in sorted(_sums(folder).items())
        if name != LIST and known.get(name) != checksum and not _is_compiled(name, known)
    ]


def _listed(folder: str) -> dict[str, str]:
    """Return the checksums of the files that were written, by their paths in the folder."""
    listed = (_content(os.path.join(folder, LIST)) or "").splitlines()
    return {line[66:]: line[:64] for line in listed}


def _is_compiled(name: str, known: dict[str, str]) -> bool:
    above, file = os.path.split(name)
    place, cache = os.path.split(above)
    source = os.path.join(place, f"{file.partition('.')[0]}.py")
    return cache == "__pycache__" and file.endswith(".pyc") and source in known


def _needed() -> dict[str, str]:
    """Return the modules of the folder, with the files that they are copied from."""
    return bundling.needed([f"cgikit.compat.{name}" for name in NAMES], _CARRIED).modules


def _is_current(folder: str, modules: dict[str, str]) -> bool:
    """Whether a folder is as it would be written now."""
    if not _is_ours(folder) or _foreign(folder):
        return False
    now = sorted(hashlib.sha256(read(file) or b"").hexdigest() for file in modules.values())
    return now == sorted(sum_ for name, sum_ in _listed(folder).items() if name.endswith(".py"))


def _halves(folder: str) -> tuple[str, str]:
    """Return where the new and the old folder are while one replaces the other."""
    return f"{folder}.new", f"{folder}.former"


def _write_folder(folder: str, modules: dict[str, str]) -> None:
    new, former = _halves(folder)
    for place in (new, former):  # left by a run that was killed
        if os.path.lexists(place):
            _check_is_ours(place)
            shutil.rmtree(place)
    bundling.write(new, modules, _write_list)
    if os.path.lexists(folder):
        os.rename(folder, former)
    os.rename(new, folder)
    if os.path.lexists(former):
        shutil.rmtree(former)


def _write_list(folder: str) -> None:
    lines = [f"{checksum}  {name}\n" for name, checksum in sorted(_sums(folder).items())]
    atomic_write(os.path.join(folder, LIST), "".join(lines))


def _content(path: str) -> str | None:
    """Return the text of a file, or None if it is not a file, or not one that cgikit would write."""
    try:
        found = read(path, most=_MAX_SIZE)
    except StorageError:  # a directory, or another user's
        return None
    return None if found is None else found.decode("utf-8", "replace")


def _is_ours(folder: str) -> bool:
    return is_folder(folder) and not os.path.islink(folder)
