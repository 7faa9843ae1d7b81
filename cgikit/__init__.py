"""cgikit: the CGI library and toolkit for Python.

This module is a table of the public names, each of which is imported on first use, so that a script
loads nothing it does not need. Its only logic is a shorter way to load compiled modules, for processes
that a web server starts: they live for milliseconds, and spend most of them on imports
(docs/understand/architecture.md, "Start-up").
"""

import sys

# Every Python, even 2.7, must be able to compile this file and report its version: no annotations and
# no f-strings.
if sys.version_info < (3, 11):
    raise ImportError(
        "cgikit needs Python 3.11 or later, but this is Python %d.%d (%s); use a newer one, for "
        "instance in the first line of the script" % (sys.version_info[:2] + (sys.executable,))
    )

# Whether a web server has started this process to answer one request: then imports may take the short
# way (`_load_directly`), unless somebody measures them. Known from now on, so that no later use of a
# name looks at the environment. (os is loaded unless Python was started with -S.)
_STARTED_FOR_REQUEST = (
    "os" in sys.modules
    and bool(sys.modules["os"].environ.get("REQUEST_METHOD"))
    and "PYTHONPROFILEIMPORTTIME" not in sys.modules["os"].environ
    and "importtime" not in sys._xoptions
    and not sys.flags.verbose
)
_LOADED = sys.modules
del sys

# Type checkers read it as True; importing typing would cost 6 ms. From a plain False, jedi and the
# editors that use it conclude that nothing below it exists.
TYPE_CHECKING = bool()
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec  # noqa: F401 -- in a comment, for old Pythons
    from types import CodeType  # noqa: F401 -- the same

    from .counters import Counter as Counter
    from .counters import Counters as Counters
    from .errors import BadRequest as BadRequest
    from .errors import CGIError as CGIError
    from .errors import HTTPError as HTTPError
    from .errors import InvalidField as InvalidField
    from .errors import LimitExceeded as LimitExceeded
    from .errors import LockTimeout as LockTimeout
    from .errors import StateError as StateError
    from .errors import StorageError as StorageError
    from .errors import UnsupportedMediaType as UnsupportedMediaType
    from .expiring import ExpiringCounters as ExpiringCounters
    from .files import atomic_write as atomic_write
    from .html import escape as escape
    from .jsonfile import update_json as update_json
    from .limits import Limits as Limits
    from .lines import append_line as append_line
    from .lines import read_lines as read_lines
    from .lines import take_lines as take_lines
    from .locks import lock as lock
    from .multidict import MultiDict as MultiDict
    from .parameters import format_header as format_header
    from .parameters import parse_header as parse_header
    from .request import Request as Request
    from .response import Response as Response
    from .script import run as run
    from .sessions.file import FileStore as FileStore
    from .sessions.redis import RedisStore as RedisStore
    from .sessions.session import Session as Session
    from .sessions.sqlite import SQLiteStore as SQLiteStore
    from .upload import Upload as Upload
    from .wsgi import WSGI as WSGI

__version__ = "0.1.0"

_MODULE_OF = {
    "BadRequest": "errors",
    "CGIError": "errors",
    "Counter": "counters",
    "Counters": "counters",
    "ExpiringCounters": "expiring",
    "FileStore": "sessions.file",
    "HTTPError": "errors",
    "InvalidField": "errors",
    "LimitExceeded": "errors",
    "Limits": "limits",
    "LockTimeout": "errors",
    "MultiDict": "multidict",
    "Request": "request",
    "RedisStore": "sessions.redis",
    "Response": "response",
    "SQLiteStore": "sessions.sqlite",
    "Session": "sessions.session",
    "StateError": "errors",
    "StorageError": "errors",
    "UnsupportedMediaType": "errors",
    "Upload": "upload",
    "WSGI": "wsgi",
    "append_line": "lines",
    "atomic_write": "files",
    "escape": "html",
    "format_header": "parameters",
    "lock": "locks",
    "parse_header": "parameters",
    "read_lines": "lines",
    "run": "script",
    "take_lines": "lines",
    "update_json": "jsonfile",
}

__all__ = list(_MODULE_OF)

_LONGEST = 65536  # bytes of a compiled file; the longest has half of that
# The modules that requests need most, and what each needs as soon as it is loaded or used, in an order
# in which they can be loaded. What is missing here is imported as usual: tests/test_shortway.py.
_WITH = {
    "body": "",
    "cookies": "limits multidict",
    "counters": "process regularfile locks files",
    "formparts": "",
    "html": "",
    "leaving": "",
    "multidict": "",
    "multipart": "errors limits delimiters headers parameters partheader pushparser",
    "process": "",
    "querystring": "limits multidict",
    "request": "limits environ",
    "response": "headers",
    "script": "process limits environ request headers response",
    "sessions.file": "process regularfile sessions.payload sessions.store sessions.directory"
    " sessions.sessionfile",
    "sessions.session": "sessions.payload sessions.store sessions.values sessions.cookie",
    "upload": "process",
}


def __getattr__(name):
    # type: (str) -> object
    """Import a public name, or a module of `_WITH`, when it is first used, and keep it (PEP 562)."""
    module = _MODULE_OF.get(name, name)
    if module is name and name not in _WITH:
        raise AttributeError("module 'cgikit' has no attribute %r" % name)
    if module in _WITH and "cgikit." + module not in _LOADED:
        _load_directly(_WITH[module].split() + [module])
    value = __import__("cgikit." + module, fromlist=(name,))
    if module is not name:
        value = getattr(value, name)
    globals()[name] = value
    return value


def _load_directly(names):
    # type: (list[str]) -> None
    """Load modules of this package in a quarter of the steps that an import takes.

    The import system looks for a file of each kind, locks, and makes paths anew for each module. Here
    the place is known: beside this file. What is loaded is the same compiled file, if it belongs to the
    source as it is now, and the module has the same attributes. In any doubt nothing is done, and the
    module is imported as usual, which also compiles it.
    """
    from _thread import _count

    if not _STARTED_FOR_REQUEST or _count():  # two threads could load a module twice
        return
    import os
    import sys

    try:
        importing = sys.modules["_frozen_importlib_external"]
        usual = importing._bootstrap._find_and_load
        unpacked = importing._compile_bytecode
        ways = importing.SourceFileLoader, importing.MAGIC_NUMBER
    except (KeyError, AttributeError):  # private to Python: a later version may have other names
        return
    loader = type(__spec__.loader)
    here = os.path.dirname(__file__)
    start, _, end = (__spec__.cached or "").partition("__init__")
    if (
        loader is not ways[0]  # a zip file, a hook
        or start != here + "/__pycache__/"
        # `cgikit trace` puts its own function there, to measure imports
        or usual.__module__ != "_frozen_importlib"
    ):
        return
    for name in names:
        whole = "cgikit." + name
        if whole in sys.modules:
            continue
        package, _, last = whole.rpartition(".")
        __import__(package)
        folder = here + package[len("cgikit") :].replace(".", "/")
        source = folder + "/" + last + ".py"
        cached = folder + "/__pycache__/" + last + end
        data = _compiled(source, cached, ways[1])
        if data is None:
            return
        spec = type(__spec__)(whole, loader(whole, source), origin=source)
        spec.cached = cached
        spec.has_location = True
        _execute(unpacked(data, whole, cached, source), spec)
        setattr(sys.modules[package], last, sys.modules[whole])


def _execute(code, spec):
    # type: (CodeType, ModuleSpec) -> None
    """Make a module and run its code in it."""
    import sys

    module = type(sys)(spec.name)
    module.__dict__.update(
        __file__=spec.origin,
        __cached__=spec.cached,
        __loader__=spec.loader,
        __package__=spec.parent,
        __spec__=spec,
    )
    sys.modules[spec.name] = module
    try:
        exec(code, module.__dict__)  # noqa: S102 -- what an import does
    except BaseException:
        del sys.modules[spec.name]
        raise


def _compiled(source, cached, magic):
    # type: (str, str, bytes) -> memoryview | None
    """Return the code in a compiled file; None unless it belongs to this Python and this source."""
    import os

    try:
        found = os.stat(source)
        file = os.open(cached, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        data = os.read(file, _LONGEST)
    finally:
        os.close(file)
    # PEP 552: a compiled file that is checked by the time and the size of its source
    for number in (0, int(found.st_mtime), found.st_size):
        magic += (number & 0xFFFFFFFF).to_bytes(4, "little")
    if data[:16] != magic or len(data) == _LONGEST:
        return None
    return memoryview(data)[16:]


def __dir__():
    # type: () -> list[str]
    return sorted(set(globals()) | set(_MODULE_OF))
