"""`python -m cgikit.compat SCRIPT [WORD …]` runs an unchanged script that imports `cgi` or `cgitb`.

It also works in a first line: `#!/usr/bin/env -S python3 -m cgikit.compat`. The script runs as Python
itself would run it: it is `__main__`, its directory is first on `sys.path`, and tracebacks begin in it.
"""

import os
import sys
from importlib.machinery import SourceFileLoader
from types import ModuleType

from .finder import install

_USAGE = "usage: python -m cgikit.compat SCRIPT [WORD …]\n"


def main() -> int:
    """Run the script that the command line names; return the exit status (int)."""
    words = sys.argv[1:]
    if not words or words[0] in {"-h", "--help"}:
        stream = sys.stdout if words else sys.stderr
        stream.write(f"{_USAGE}Run a script whose `import cgi` or `import cgitb` broke.\n")
        return 0 if words else 2
    install()
    file = words[0]
    try:
        with open(file, "rb") as script:
            source = script.read()
    except OSError as error:
        sys.stderr.write(f"python -m cgikit.compat: {file}: {error.strerror}\n")
        return 2
    sys.argv[:] = words
    if not sys.flags.safe_path:
        sys.path[0] = os.path.dirname(os.path.realpath(file))
    script_module = ModuleType("__main__")
    script_module.__dict__.update(
        __file__=file,
        __builtins__=sys.modules["builtins"],
        __loader__=SourceFileLoader("__main__", file),
    )
    sys.modules["__main__"] = script_module
    try:
        code = compile(source, file, "exec", dont_inherit=True)
        exec(code, script_module.__dict__)  # noqa: S102 -- this is what it is for
    except Exception as error:
        traceback = error.__traceback__
        traceback = traceback.tb_next if traceback is not None else None  # without this frame
        sys.excepthook(type(error), error.with_traceback(traceback), traceback)
        return 1
    return 0


raise SystemExit(main())
