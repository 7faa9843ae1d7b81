"""Replacements for two modules that Python removed: `cgi` and `cgitb`, with their old behaviour.

`install()` lets `import cgi` find them in this process, `python -m cgikit.compat SCRIPT` runs a script
with them, and `onpath/` is for interpreters that other programs start. The rest of cgikit does not
import this package.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .finder import install as install
    from .finder import is_installed as is_installed
    from .finder import uninstall as uninstall

__all__ = ["install", "is_installed", "uninstall"]


def __getattr__(name: str) -> object:
    """Import a public name when it is first used (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module 'cgikit.compat' has no attribute {name!r}")
    from . import finder

    value: object = getattr(finder, name)
    globals()[name] = value
    return value
