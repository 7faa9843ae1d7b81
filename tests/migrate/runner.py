"""A program that runs CGI scripts in forks of itself: `python runner.py old|new`.

`old` has the modules `cgi` and `cgitb` as they were, Python's own or legacy-cgi's, with the functions
that they lost in Python 3.8. `new` cannot import them. Each line of standard input is a job, a JSON
object (script, cwd, environ, stdin, stdout, stderr); the exit status of the script is the answer.
"""

import importlib.abc
import json
import os
import runpy
import sys
import urllib.parse
from collections.abc import Callable


class Gone(importlib.abc.MetaPathFinder):
    """Python 3.13: there is no `cgi` and no `cgitb`."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        """Refuse the two."""
        if name in ("cgi", "cgitb"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def escape(s: str, quote: object = None) -> str:
    """`cgi.escape` of Python 3.7: three characters, and `"` on request."""
    s = s.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return s.replace('"', "&quot;") if quote else s


def prepare(kind: str) -> None:
    """Make this process one in which scripts find the old modules, or do not."""
    if kind == "new":
        sys.meta_path.insert(0, Gone())
        for name in ("cgi", "cgitb"):
            sys.modules.pop(name, None)
        return
    import cgi
    import cgitb  # noqa: F401  # loaded once, for all scripts

    lost: dict[str, Callable[..., object]] = {
        "escape": escape,
        "parse_qs": urllib.parse.parse_qs,
        "parse_qsl": urllib.parse.parse_qsl,
    }
    for name, function in lost.items():
        setattr(cgi, name, function)


def run(job: dict[str, object]) -> None:
    """Be the script of a job; never returns."""
    code = 1
    try:
        os.chdir(str(job["cwd"]))
        for descriptor, name, flags in (
            (0, "stdin", os.O_RDONLY),
            (1, "stdout", os.O_WRONLY | os.O_CREAT),
            (2, "stderr", os.O_WRONLY | os.O_CREAT),
        ):
            os.dup2(os.open(str(job[name]), flags, 0o600), descriptor)
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        kept = (sys.stdin, sys.stdout, sys.stderr)  # a script that replaces one does not close it
        os.environ.clear()
        os.environ.update(job["environ"])  # type: ignore[arg-type]
        script = str(job["script"])
        sys.argv, sys.path[0] = [script], os.path.dirname(script)
        try:
            runpy.run_path(script, run_name="__main__")
            code = 0
        except SystemExit as leaving:
            code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
        except BaseException:
            sys.excepthook(*sys.exc_info())
        for stream in (sys.stdout, *kept[1:]):
            if not stream.closed:
                stream.flush()
    finally:
        os._exit(code)


if __name__ == "__main__":
    prepare(sys.argv[1])
    for line in sys.stdin:
        child = os.fork()
        if not child:
            run(json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
