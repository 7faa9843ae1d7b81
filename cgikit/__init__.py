"""cgikit: the CGI library and toolkit for Python.

This module has no logic: it is a table of the public names, each of which is imported on first use, so
that a script loads nothing it does not need (docs/understand/architecture.md, "Start-up").
"""

import sys

# Every Python, even 2.7, must be able to compile this file and report its version: no annotations and
# no f-strings.
if sys.version_info < (3, 11):
    raise ImportError(
        "cgikit needs Python 3.11 or later, but this is Python %d.%d (%s); use a newer one, for "
        "instance in the first line of the script" % (sys.version_info[:2] + (sys.executable,))
    )
del sys

# Type checkers read it as True; importing typing would cost 6 ms. From a plain False, jedi and the
# editors that use it conclude that nothing below it exists.
TYPE_CHECKING = bool()
if TYPE_CHECKING:
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


def __getattr__(name):
    # type: (str) -> object
    """Import a public name when it is first used, and keep it (PEP 562)."""
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError("module 'cgikit' has no attribute %r" % name)
    value = getattr(__import__("cgikit." + module, fromlist=(name,)), name)
    globals()[name] = value
    return value


def __dir__():
    # type: () -> list[str]
    return sorted(set(globals()) | set(_MODULE_OF))
