"""Modules beside a script that are compiled at each request, because the result cannot be kept.

PEP 3147 says where that is. Only modules that the script imports and that lie beside it; its own
interpreter tells which of them are not compiled.
"""

import os
import shlex

from .account import Account
from .finding import Finding
from .interpreter import Told


def check_compiled(file: str, told: Told, user: Account) -> list[Finding]:
    """Return advice if a user cannot keep modules compiled that it imports (list of `Finding`)."""
    lost: list[tuple[str, str]] = []
    closed = ""
    for name, source, compiled in told.uncompiled:
        folder = os.path.dirname(compiled)
        try:
            if not os.path.isdir(folder):
                folder = os.path.dirname(folder)  # __pycache__ is made in it
            status = os.stat(folder)
        except OSError:
            continue
        if not (user.may_write(status) and user.may_execute(status)):
            # A package is compiled as a whole
            package = os.path.basename(source) == "__init__.py"
            lost.append((name, os.path.dirname(source) if package else source))
            closed = closed or folder
    if not lost:
        return []
    names = ", ".join(name for name, _ in lost[:5])
    more = f" and {len(lost) - 5} more" if len(lost) > 5 else ""
    sources = " ".join(shlex.quote(source) for _, source in lost[:5])
    command = f"{shlex.quote(told.program)} -m compileall -q {sources}"
    return [
        Finding(
            "not-compiled",
            f"{os.path.basename(file)}: Python {told.version} compiles {names}{more} at each request: "
            f"{user.name} cannot write to {closed}.",
            is_error=False,
            fix=f"{command}  (after each change, as a user who can write there)",
            rule="PEP 3147",
            file=file,
        )
    ]
