"""A loop that serves a script again and again in one process and takes care of nothing.

`python naive.py SCRIPT`: each line of standard input is a job, a JSON object (environ, stdin, stdout).
Each request gets a `__main__`, a standard output and meta-variables of its own, and that is all: what a
script leaves anywhere else, the next request finds. Exit handlers run after the last one.
"""

import atexit
import json
import os
import sys
import types


def connect(job: dict[str, str]) -> None:
    """Make the files of a job descriptors 0 and 1; `sys.stdin` stays the object that it is."""
    opened = os.open(job["stdin"], os.O_RDONLY)
    os.dup2(opened, 0)
    os.close(opened)
    opened = os.open(job["stdout"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(opened, 1)
    os.close(opened)
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def serve(script: str, jobs: list[dict[str, object]]) -> None:
    """Run a script for one request after the other."""
    with open(script, encoding="utf-8") as file:
        code = compile(file.read(), script, "exec")
    for job in jobs:
        connect(job)  # type: ignore[arg-type]
        stdout = sys.stdout
        os.environ.update(job["environ"])  # type: ignore[call-overload]
        main = types.ModuleType("__main__")
        main.__file__ = script
        sys.modules["__main__"] = main
        try:
            exec(code, main.__dict__)
        except SystemExit:
            pass
        except Exception as error:
            sys.excepthook(type(error), error, error.__traceback__)
        stdout.flush()
        del main


if __name__ == "__main__":
    atexit.register(int)  # or `cgikit.run` would end the process by itself
    _, path = sys.argv
    sys.argv = [path]
    sys.path[0] = os.path.dirname(path)
    tasks = [json.loads(line) for line in sys.stdin]
    serve(path, tasks)
    atexit._run_exitfuncs()
    sys.stdout.flush()
    os._exit(0)  # threads of the script must not keep it
