"""cgikit's own modules in a bundle: which ones a script needs at once, and the files they become.

The modules that each request needs go into the compiled `cgikit/__init__`, where loading one costs
least; all others into one file, `library.bin`, which `boot.py` reads. Docstrings and
comments stay at home, the numbers of the lines stay.
"""

import ast
import io
import os
import tokenize
import zlib
from collections.abc import Iterable

import cgikit

from .. import bundling
from . import boot
from .target import Target

CARRIED = ("cgikit", "multipart")
#: What `run` imports, in this order, and what it imports at the end of the process.
_CHAIN = tuple(
    f"cgikit.{name}" for name in "limits environ process headers request response script".split()
)
_LATE = ("cgikit.leaving",)
#: Small modules that a script with one of these names in it needs for most requests.
_BY_NAME = {
    "escape": "html",
    "query params form keywords": "multidict querystring",
    "cookies set_cookie": "cookies multidict",
}
#: Modules that few scripts use, and the names by which those can be told. Without the name the server
#: has them in source alone: they work, and are compiled when they are used.
_RARE = {
    "accept": "accepts accepts_language accepts_charset accepts_encoding compressed",
    "authorization": "authorization",
    "compression": "compressed",
    "events": "events last_event_id",
    "gateway": "",  # a process of these two answers many requests
    "inspection": "inspect",
    "offline": "",  # by hand, at a command line
    "persistent": "",
    "push": "push",
    "savedfields": "load save",
    "sessions": "session sessions FileStore SQLiteStore RedisStore",
    "signing": "signed signed_with",
}
_FACE = "cgikit/__init__.py"
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def modules(names: Iterable[str]) -> dict[str, str]:
    """Return the files of cgikit's modules, and of those it cannot do without, that a script with these
    names in it can need, by the name of the module.

    `names` are all identifiers of the script; the public ones of cgikit are among them.
    """
    wanted = {"cgikit.script", "cgikit.request", "cgikit.response"}
    for name in names:
        if name in cgikit.__all__:
            wanted.add(getattr(cgikit, name).__module__)
        elif name.startswith("cgikit.") and bundling.find(name) is not None:
            wanted.add(name)
    found = bundling.needed(sorted(wanted), CARRIED).modules
    # Faces import by a computed name: all of the package is carried
    inner = {f"cgikit.fields.{one}" for one in _below("fields")} if "cgikit.fields" in found else ()
    return bundling.needed([*sorted(wanted), *sorted(inner)], CARRIED).modules


def files(carried: dict[str, str], names: Iterable[str], target: Target) -> dict[str, bytes]:
    """Return the files (bytes) of the library folder by path, for the modules `carried`.

    `names` decide which of them are compiled, and which of those go into the first file: that is a
    matter of speed and size alone.
    """
    sources = {name: plain(_read(file)) for name, file in carried.items() if name != "cgikit"}
    packages = {name for name, file in carried.items() if file.endswith("__init__.py")}
    paths = {name: _path(name, name in packages) for name in sources}
    used = set(names)
    hot = [*_CHAIN, *_LATE, *sorted(_soon(used) & set(sources) - {*_CHAIN, *_LATE})]
    rest = sorted(set(sources) - set(hot))
    likely = [name for name in rest if _is_likely(name, used)]
    compiled = target.compile({"modules": [(name, paths[name], sources[name]) for name in likely]})
    packed = {name: zlib.compress(code, 9) for name, code in sorted(compiled.items())}
    library, rows = b"", []
    for name in [*hot, *rest]:
        data = packed.get(name, b"")
        rows.append((name, name in packages, name in _CHAIN, len(library), len(data)))
        library += data
    text = "\0".join(word for pair in sorted(sources.items()) for word in pair)
    last = zlib.compress(text.encode(), 9)
    face = boot.text(plain(_read(carried["cgikit"])), rows, (len(library), len(last)))
    kinds = {name: "code" if name in _CHAIN + _LATE else "bytes" for name in hot}
    first = target.compile(
        {
            "first": (f"cgikit/__pycache__/__init__.{target.tag}.pyc", _FACE, face),
            "hot": [(name, (paths[name], sources[name], kinds[name])) for name in hot],
        }
    )
    return {_FACE: face.encode(), "library.bin": library + last, **first}


def plain(source: str) -> str:
    """Return a module's source without its docstrings and comments; all else keeps its line."""
    rows = source.splitlines(keepends=True)
    dropped = _docstrings(ast.parse(source))
    for token in reversed(list(tokenize.generate_tokens(io.StringIO(source).readline))):
        (first, begin), (last, end) = token.start, token.end
        if token.type == tokenize.COMMENT:
            rows[first - 1] = rows[first - 1][:begin].rstrip() + rows[first - 1][end:]
        elif token.type == tokenize.STRING and first in dropped:
            rows[first - 1 : last] = [
                rows[first - 1][:begin] + '""' + (rows[last - 1][end:]),
                *["\n"] * (last - first),
            ]
    return "".join(rows)


def _docstrings(tree: ast.Module) -> set[int]:
    """Return the lines that docstrings begin in."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            found.add(node.body[0].lineno)
    return found


def _soon(names: set[str]) -> set[str]:
    """Return the modules that a script with these names is likely to need."""
    needed = {
        one
        for used, found in _BY_NAME.items()
        if names & set(used.split())
        for one in found.split()
    }
    return {f"cgikit.{name}" for name in needed} | ({"multipart"} & needed)


def _is_likely(name: str, used: set[str]) -> bool:
    """Whether a script with these names is likely to need a module."""
    words = _RARE.get(name.removeprefix("cgikit.").partition(".")[0])
    return words is None or not used.isdisjoint(words.split())


def _below(package: str) -> list[str]:
    directory = os.path.join(os.path.dirname(os.path.dirname(__file__)), package)
    names = [name.removesuffix(".py") for name in os.listdir(directory) if name.endswith(".py")]
    return sorted(set(names) - {"__init__"})


def _path(name: str, is_package: bool) -> str:
    return name.replace(".", "/") + ("/__init__.py" if is_package else ".py")


def _read(file: str) -> str:
    with tokenize.open(file) as stream:
        return stream.read()
