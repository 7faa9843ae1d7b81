"""Runs a script file as Python itself does, with every error answered: `python -m cgikit run SCRIPT`.

It also answers errors before the first line runs: a syntax error, a wrong encoding, a file that cannot
be read. It is the interpreter of a `#!` line, so it takes no options, and words after the script
are the script's (RFC 3875 section 4.4: under some servers they come from the query).
"""

import os
import sys

from . import guard, uncaught

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType


def run_script(path: str, words: list[str]) -> int:
    """Run the script in the file `path` as `__main__`, with `words` as its arguments; return the exit
    status (int). An uncaught error goes to `sys.excepthook`, which is the guard's under CGI. Raises the
    `SystemExit` of the script.
    """
    by_hand = None if os.environ.get("REQUEST_METHOD") else uncaught.watch()
    guard.install(path)
    file = os.path.abspath(path)
    sys.argv[:] = [path, *words]
    if not sys.flags.safe_path:
        # `python -m` has put the working directory there.
        sys.path[0] = os.path.dirname(os.path.realpath(path))
    main = _module(path)
    try:
        exec(compile(_source(path), path, "exec", dont_inherit=True), main.__dict__)  # noqa: S102
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as error:
        trace = error.__traceback__ and error.__traceback__.tb_next  # without this frame
        sys.excepthook(type(error), error.with_traceback(trace), trace)
        return 1
    # So does Python itself, and `leaving.py` looks for it.
    main.__dict__.pop("__file__", None)
    return 0 if by_hand is None else _told(by_hand, file)


def _told(watched: "uncaught.Watched", file: str) -> int:
    """Say on standard error that a script has forgotten to run its handler; return the exit status."""
    from . import process

    process.flush()
    if watched.count:
        return 0
    from .forgotten import advice

    what, remedy = advice(file, certain=True)
    if what:
        process.write_log(f"{what} {remedy}\n")
    return 1 if what else 0


def _source(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _module(path: str) -> "ModuleType":
    """Return the module that the script runs in, in the place of the one that runs this."""
    main = type(sys)("__main__")
    main.__dict__.update(__file__=path, __builtins__=sys.modules["builtins"], __cached__=None)
    sys.modules["__main__"] = main
    return main
