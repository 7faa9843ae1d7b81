"""`cgikit vendor cgi DIR`: `cgi.py` and `cgitb.py` for scripts whose `import cgi` broke.

Only the command is here; what it writes is in `cgikit.vendoring`.
"""

import argparse
import errno
import os
import sys
import sysconfig

from cgikit import vendored, vendoring
from cgikit.errors import StorageError
from cgikit.obstacle import obstacle


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add this command's parser to the sub-parsers of the command line."""
    parser = commands.add_parser(
        "vendor",
        help="write cgi.py and cgitb.py for scripts whose import cgi broke",
        description="Write cgi.py and cgitb.py, which Python 3.13 removed, beside scripts: they lead "
        "to cgikit's. Nothing that is there is overwritten.",
        epilog="Example: cgikit vendor cgi cgi-bin\nDocumentation: page from/cgi",
    )
    parser.set_defaults(command=vendor)
    parser.add_argument("what", metavar="cgi", choices=("cgi",), help="what to write: cgi")
    parser.add_argument(
        "directory", metavar="DIR", nargs="?", help="the directory of the scripts that import it"
    )
    parser.add_argument(
        "--site", action="store_true", help="for all scripts of this Python: into its site-packages"
    )
    parser.add_argument(
        "--self-contained",
        action="store_true",
        help=f"bring all that is needed in a folder, {vendored.FOLDER}, for hosts without pip",
    )
    parser.add_argument(
        "--stubs", action="store_true", help="write cgi.pyi and cgitb.pyi, for type checkers alone"
    )
    parser.add_argument(
        "--force", action="store_true", help="replace what this command wrote and nobody changed"
    )
    parser.add_argument(
        "--remove", action="store_true", help="remove what this command has written"
    )


def vendor(arguments: argparse.Namespace) -> int:
    """Write the modules, or remove them; return the exit status (int)."""
    if bool(arguments.directory) == arguments.site:
        return _fail("name the directory of the scripts, or give --site, but not both")
    if arguments.stubs and arguments.self_contained:
        return _fail("--stubs writes no modules: leave --self-contained out")
    directory = sysconfig.get_path("purelib") if arguments.site else arguments.directory
    if not os.path.isdir(directory):
        return _fail(f"{directory} is not a directory")
    try:
        return _remove(directory) if arguments.remove else _write(directory, arguments)
    except vendoring.Replaceable as error:
        return _fail(f"{error.filename}: {error.strerror}; --force replaces it")
    except FileExistsError as error:
        return _fail(f"{error.filename}: {error.strerror}")
    except StorageError as error:
        return _fail(_of_this_command(str(error)))
    except OSError as error:
        return _fail(_refused(directory, error))


def _write(directory: str, arguments: argparse.Namespace) -> int:
    new = vendoring.write(
        directory,
        self_contained=arguments.self_contained,
        stubs=arguments.stubs,
        force=arguments.force,
    )
    for path in new:
        print(f"wrote {path}")
    if not new:
        print(f"{directory} has them already")
    if arguments.site and _is_in_library():
        print("Note: this Python has a cgi module of its own, which comes first until 3.13.")
    return 0


def _remove(directory: str) -> int:
    gone, kept = vendoring.remove(directory), vendoring.kept(directory)
    for path in gone:
        print(f"removed {path}")
    for path in kept:
        _fail(f"{path}: kept: cgikit did not write this, or it was changed since")
    if not gone and not kept:
        _fail(f"{directory} has nothing that this command has written")
    return 0 if gone and not kept else 1


def _refused(directory: str, error: OSError) -> str:
    """Return why the system refused to write or remove something, and what to do."""
    if error.errno in (errno.EACCES, errno.EPERM):
        path = os.path.join(directory, vendoring.NAMES[0] + ".py")
        return _of_this_command(obstacle(path, error.errno))
    return f"{directory}: {error.strerror}"  # not .filename: a copy names what it reads


def _of_this_command(reason: str) -> str:
    return reason.replace("the script runs", "this command runs")


def _is_in_library() -> bool:
    """Whether the standard library of this Python has a module `cgi`."""
    return "cgi" in sys.stdlib_module_names


def _fail(message: str) -> int:
    print(f"cgikit vendor: {message}", file=sys.stderr)
    return 1
