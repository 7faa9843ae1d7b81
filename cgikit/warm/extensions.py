"""Which extension modules a child that serves several requests may have loaded.

Nobody can see from Python what a module in C keeps to itself. Those of the standard library below were
looked at, one by one; a child that has any other one serves one request, as without `--reuse`.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType

#: Modules that keep nothing that a request can change, or nothing that is not compared or put back.
KNOWN = frozenset(
    # Functions and types only
    "_bisect _bz2 _contextvars _datetime _heapq _json _lsprof _lzma _opcode _operator _pickle"
    " _posixsubprocess _queue _random _struct _statistics _stat _zoneinfo _asyncio"
    " _blake2 _md5 _sha1 _sha2 _sha256 _sha3 _sha512 _hashlib _crypt _uuid _typing"
    " array binascii cmath fcntl grp math mmap pwd pyexpat _elementtree select spwd termios"
    " unicodedata zlib _multibytecodec _codecs_cn _codecs_hk _codecs_iso2022 _codecs_jp _codecs_kr"
    " _codecs_tw _posixshmem _multiprocessing _bytesio _scproxy _ssl"
    # What they keep is put back or compared: see `surroundings.py`
    " _csv _decimal _socket _sqlite3 resource syslog audioop _hmac _types _suggestions _sysconfig"
    " _interpreters _remote_debugging _zstd".split()
)


def is_extension(module: "ModuleType | None") -> bool:
    """Return whether a module is a file of machine code."""
    loader = getattr(module, "__loader__", None)
    return type(loader).__name__ == "ExtensionFileLoader"


def is_ctypes(name: str) -> bool:
    """Return whether a module is `ctypes`, or belongs to it."""
    return name.partition(".")[0] in ("ctypes", "_ctypes")


def take_ctypes_away() -> "dict[str, ModuleType]":
    """Let no script find `ctypes` loaded: one that imports it is heard then (see `surroundings.py`).
    Installed packages import it and never use it, and the zygote may need what is below it. Return
    these modules by name.
    """
    names = [name for name in sys.modules if is_ctypes(name)]
    return {name: sys.modules.pop(name) for name in names}


def unknown(modules: "Iterable[ModuleType | None]") -> str:
    """Return why a process with these modules serves one request only, or "" if it may serve more."""
    for module in modules:
        if is_extension(module):
            # Not `__name__`: some call themselves as the module in Python above them
            spec = getattr(module, "__spec__", None)
            name = str(spec.name if spec is not None else getattr(module, "__name__", "?"))
            if name not in KNOWN or sys.modules.get(name) is not module:
                return f"{name} is loaded, which is written in C and not known here"
    return ""
