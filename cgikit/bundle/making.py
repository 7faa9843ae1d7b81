"""Putting a bundle together: scripts, what is beside them, packages, the library, the licences.

It reads files and returns a `Made`; `writing.py` writes it.
"""

import base64
import hashlib
import os
from collections.abc import Callable, Collection, Iterator
from itertools import islice

from .. import bundling
from ..files import read
from . import beside, firstlines, interpreter, library
from .firstlines import FOLDER
from .reach import Reached
from .target import Target
from .writing import Bundle

_MAX_FILES = 20_000
_MAX_SEEN = 10 * _MAX_FILES  # with those that stay
_MAX_BYTES = 500_000_000
#: For servers that show the folder: httpd alone reads this.
_DENIED = b"<IfModule mod_authz_core.c>\n    Require all denied\n</IfModule>\n"


class Refused(Exception):
    """The scripts cannot be bundled; `problems` says why (list of str)."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class Fronts:
    """What a bundle needs to have fronts: `text` makes that of a script, from its name, how many
    directories it is below the top, its interpreter, and what tells bundles apart; `modules` are those
    that must be carried, `listed` is the name of the list of scripts in the library's folder.
    """

    def __init__(
        self, text: Callable[[str, int, str, str], bytes], modules: Collection[str], listed: str
    ) -> None:
        self.text = text
        self.modules = modules
        self.listed = listed


class Made:
    """A bundle; `left` are paths and why they stay here, `notes` whatever else the user has to know,
    `packages` the names of the installed packages that are carried.
    """

    def __init__(self) -> None:
        self.bundle = Bundle()
        self.left: list[tuple[str, str]] = []
        self.notes: list[str] = []
        self.packages: list[str] = []


def make(
    source: str,
    target: Target,
    *,
    wanted: str = "",
    include: Collection[str] = (),
    data: bool = False,
    fronts: "Fronts | None" = None,
    tell: Callable[[int, int], object] = max,
) -> Made:
    """Return the bundle of a script, or of all that is in a directory.

    `wanted` is the interpreter for the first lines, `include` names modules that no source names.
    With `data` what visitors have left goes along. A script that is a link is taken from where it
    leads, with what is beside it there (Python looks for modules there too), under the link's name.
    With `fronts` each script gets a front beside it. `tell` is called with how many files of how many
    are done, of each step anew.

    Raises `Refused` if something that is needed cannot be carried, `ValueError` for an interpreter
    that cannot be used and for more than a bundle can have, `OSError` for what cannot be read.
    """
    directory = source if os.path.isdir(source) else _directory(source)
    made = Made()
    content = _Content(directory, made, data, tell)
    scripts = (
        content.all_of_it() if os.path.isdir(source) else {os.path.basename(source): _bytes(source)}
    )
    if not scripts:
        raise Refused([f"{source}: no script that begins with #! and a Python"])
    reached = _reached(directory, scripts, include, tell)
    problems = [problem for one in reached.values() for problem in one.problems]
    if problems:
        raise Refused(sorted(set(problems)))
    for path, script in sorted(scripts.items()):
        line, note = interpreter.first_line(script, wanted)
        made.notes += [f"{path}: {note}"] if note else []
        made.bundle.files[path] = firstlines.prepared(
            script, line, path.count("/"), reached[os.path.dirname(path)].lacking
        )
        made.bundle.scripts.add(path)
    for one in reached.values():
        content.modules(one)
    if not os.path.isdir(source):
        content.named_files(next(iter(reached.values())))
    _compile_own(made.bundle, target)
    more = fronts.modules if fronts else ()
    _add_library(made, target, list(reached.values()), more)
    if fronts:
        _add_fronts(made, fronts)
    made.notes += sorted({note for one in reached.values() for note in one.without})
    return made


def _directory(script: str) -> str:
    """Return the directory of a script: that of the file, if `script` is a link."""
    real = os.path.realpath(script)
    directory, name = os.path.dirname(real), os.path.basename(script)
    there = os.path.join(directory, name)
    if os.path.lexists(there) and os.path.realpath(there) != real:
        raise Refused(
            [f"{script}: leads to {real}, beside which is another {name}: rename the link"]
        )
    return directory


def _reached(
    directory: str,
    scripts: dict[str, bytes],
    include: Collection[str],
    tell: Callable[[int, int], object],
) -> dict[str, Reached]:
    """Return what the scripts of each directory use, by its path."""
    found: dict[str, Reached] = {}
    for done, (path, script) in enumerate(sorted(scripts.items())):
        tell(done, len(scripts))
        place = os.path.dirname(path)
        one = found.setdefault(place, Reached(os.path.join(directory, place)))
        try:
            one.add(os.path.realpath(os.path.join(directory, path)), script)
        except (SyntaxError, ValueError) as error:
            line = getattr(error, "lineno", 0) or 0
            raise Refused([f"{path}:{line}: {getattr(error, 'msg', error)}"]) from None
    for name in include:
        next(iter(found.values())).include(name)
    return found


class _Content:
    """The files beside the scripts, as far as they go along."""

    def __init__(
        self, directory: str, made: Made, data: bool, tell: Callable[[int, int], object]
    ) -> None:
        self.directory = os.path.realpath(directory)
        self.made = made
        self.data = data
        self.tell = tell
        self.size = 0

    def all_of_it(self) -> dict[str, bytes]:
        """Take every file of the directory; return the scripts among them, by path."""
        return dict(self._take(""))

    def modules(self, reached: Reached) -> None:
        """Take the modules that scripts import, with what is in their packages."""
        for file in reached.own.values():
            is_package = os.path.basename(file) == "__init__.py"
            start = os.path.relpath(os.path.dirname(file) if is_package else file, self.directory)
            self.made.bundle.files.update(self._take(start, imported=True))  # also with `#!`
            taken = {(start, beside.TESTS), (f"{start}/", beside.TESTS)}
            self.made.left = [each for each in self.made.left if each not in taken]

    def named_files(self, reached: Reached) -> None:
        """Take the files that a script names."""
        for text in reached.texts:
            start = os.path.normpath(text)
            inside = not (start.startswith(("/", "../")) or start in {".", ".."})
            if inside and os.path.lexists(os.path.join(self.directory, start)):
                list(self._take(start))

    def _take(self, start: str, *, imported: bool = False) -> Iterator[tuple[str, bytes]]:
        files = self.made.bundle.files
        seen = beside.files(self.directory, start, data=self.data, imported=imported)
        found = list(islice(seen, _MAX_SEEN + 1))
        if len(found) > _MAX_SEEN:
            raise self._too_much()
        for done, (path, reason) in enumerate(found):
            self.tell(done, len(found))
            if reason:
                self.made.left += [] if (path, reason) in self.made.left else [(path, reason)]
                continue
            if path in files:
                continue
            if path.partition("/")[0] == FOLDER:
                raise Refused([f"{path}: this is a bundle already: bundle what it was made of"])
            full = os.path.join(self.directory, path)
            content = _bytes(full)
            self.size += len(content)
            if len(files) >= _MAX_FILES or self.size > _MAX_BYTES:
                raise self._too_much()
            if interpreter.is_python(content) and not path.endswith("/__init__.py"):
                yield path, content
            else:
                files[path] = content
                if content.startswith(b"#!") and os.access(full, os.X_OK):
                    self.made.bundle.scripts.add(path)

    def _too_much(self) -> ValueError:
        return ValueError(
            f"{self.directory} has more than {_MAX_FILES} files or {_MAX_BYTES} bytes: "
            "move what is no part of the scripts away"
        )


def _compile_own(bundle: Bundle, target: Target) -> None:
    """Compile the modules beside the scripts. They may be changed on the server, and are compared."""
    sources = [path for path in bundle.files if path.endswith(".py") and path not in bundle.scripts]
    bundle.files.update(_compiled(bundle.files, sources, target, checked=True))


def _compiled(
    files: dict[str, bytes], paths: list[str], target: Target, *, checked: bool
) -> dict[str, bytes]:
    order = [
        (_cached(path, target.tag), path, base64.b64encode(files[path]).decode(), checked)
        for path in sorted(paths)
    ]
    return target.compile({"files": order}) if order else {}


def _cached(path: str, tag: str) -> str:
    directory, name = os.path.split(path)
    return os.path.join(directory, "__pycache__", f"{name.removesuffix('.py')}.{tag}.pyc")


def _add_library(made: Made, target: Target, reached: list[Reached], more: Collection[str]) -> None:
    names = {name for one in reached for name in one.names}.union(more)
    packages = {name: place for one in reached for name, place in one.packages.items()}
    carried = library.modules(names)
    inner = library.files(carried, names, target)
    inner[".htaccess"] = _DENIED
    for name, place in sorted(packages.items()):
        new = dict(_package(name, place))
        inner.update(new)
        sources = [path for path in new if path.endswith(".py")]
        inner.update(_compiled(new, sources, target, checked=False))
    made.packages = sorted(packages)
    for name in sorted({*packages, *library.CARRIED}):
        found = bundling.licenses(name)
        for file, place in found.items():
            inner[f"licenses/{file}"] = _bytes(place)
        if not found:
            made.notes.append(f"no licence of {name} was found: add it to {FOLDER}/licenses")
    made.bundle.files.update({f"{FOLDER}/{path}": data for path, data in inner.items()})


def _add_fronts(made: Made, fronts: "Fronts") -> None:
    """Put a front beside each script, and the list of these into the library's folder."""
    bundle = made.bundle
    identity = hashlib.sha256(bundle.listing()).hexdigest()[:12]
    listed = []
    for path in sorted(bundle.scripts):
        name = path.rpartition("/")[2]
        line = bundle.files[path].partition(b"\n")[0].decode("utf-8", "replace")
        program, _, options = line.removeprefix("#!").partition(" ")
        front = f"{path.removesuffix('.py')}.cgi"
        if "python" not in os.path.basename(program) or options != "-IS":
            made.notes.append(f"{path}: has no front, because its first line is {line}")
        elif not (_is_plain(name) and name.endswith(".py")):
            made.notes.append(f"{path}: has no front: name it in ASCII letters and digits, and .py")
        elif front in bundle.files:
            raise Refused([f"{front}: has the name of a front; rename it, or {path}"])
        else:
            bundle.files[front] = fronts.text(name, path.count("/"), program, identity)
            listed.append(path)
    if not listed:
        raise Refused(["no script can have a front", *made.notes])
    bundle.scripts.update(f"{path.removesuffix('.py')}.cgi" for path in listed)
    lines = "".join([f"script {path}\n" for path in listed])
    bundle.files[f"{FOLDER}/{fronts.listed}"] = lines.encode()


def _is_plain(name: str) -> bool:
    """Whether the name of a script can stand in a front."""
    return name.isascii() and name.translate(dict.fromkeys(map(ord, "._-"))).isalnum()


def _package(name: str, place: str) -> Iterator[tuple[str, bytes]]:
    """Yield the files of an installed package, without what was compiled for this machine."""
    if not os.path.isdir(place):
        yield f"{name}.py", _bytes(place)
        return
    for directory, below, files in os.walk(place):
        below[:] = sorted(set(below) - {"__pycache__"})
        for file in sorted(files):
            if not file.endswith((".pyc", ".so", ".pyd")):
                full = os.path.join(directory, file)
                yield os.path.join(name, os.path.relpath(full, place)), _bytes(full)


def _bytes(file: str) -> bytes:
    content = read(os.path.realpath(file))  # where a link leads is known, and inside
    if content is None:
        raise FileNotFoundError(2, "there is no such file", file)
    return content
