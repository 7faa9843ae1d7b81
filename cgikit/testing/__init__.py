"""Asking a handler or a script file as a client does, and looking at the answer: for tests.

`Client` is what tests hold. A handler is called in this process (`handlers.py`), a script file in any
language runs in a process of its own with the environment that a server gives it (`scripts.py`). What
is sent is built in `sending.py`, what comes back is an `Answer` (`answer.py`), cookies are kept as
browsers keep them (`jar.py`). No script imports any of it.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .answer import Answer as Answer
    from .answer import ScriptError as ScriptError
    from .client import Client as Client
    from .jar import Cookies as Cookies

# On first use, so that the plugin of pytest costs nothing where it is not used.
_MODULE_OF = {"Answer": "answer", "Client": "client", "Cookies": "jar", "ScriptError": "answer"}

__all__ = ["Answer", "Client", "Cookies", "ScriptError"]


def __getattr__(name: str) -> object:
    """Import a public name when it is first used, and keep it (PEP 562)."""
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module 'cgikit.testing' has no attribute {name!r}")
    value: object = getattr(__import__(f"cgikit.testing.{module}", fromlist=(name,)), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(_MODULE_OF))
