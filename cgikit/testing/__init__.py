"""A client for tests: it sends requests to a handler or a script file and returns the answers.

Tests use a `Client`. It calls a handler in this process, and runs a script file, in any language, in a
process of its own with the environment that a server gives it. Both return an `Answer`. The client
keeps cookies as browsers do. docs/understand/architecture.md lists the modules. No script imports
any of them.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .answer import Answer as Answer
    from .answer import ScriptError as ScriptError
    from .client import Client as Client
    from .jar import Cookies as Cookies

# Imported on first use, so the pytest plugin costs nothing if it is not used
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
