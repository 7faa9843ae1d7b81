"""Rule `compat` (safe): every other import of `cgi` and `cgitb` is changed to `cgikit.compat`.

`cgikit.compat.cgi` and `cgikit.compat.cgitb` have everything that was public in the old modules,
under the same names and with the same meaning; docs/from/differences.md lists the old bugs that are
mended. The name that the import binds stays the same, so nothing else in the file has to change. An
import in a `try` for a missing module, or one that depends on the version of Python, is not changed:
the program handles that case itself.
"""

import libcst as cst

from .code import Code
from .edits import Edit


def star(code: Code, statement: cst.ImportFrom) -> list[Edit]:
    """Return the changes of `from cgi import *`; [] if it takes it from `cgikit.compat` already."""
    name = code.source(statement.module) if statement.module else ""
    if statement.module is None or name.startswith("cgikit."):
        return []
    return [code.replace(statement.module, f"cgikit.compat.{name}")]
