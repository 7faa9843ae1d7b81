"""The beginning of a daemon that a bundle carries. No command has run on this host: what that would
have refused and written is refused and written here.

A bundle's fronts look for a folder that its owner has made, by FTP say, beside what the web server
shows. That is the consent: no request makes it. In it they make a directory for each machine and
bundle.
"""

import os
import sys

from ..logfile import LogFile
from . import command, daemon, directory, ledger, records

#: What the interpreter runs, as in `command.py`.
CODE = command.CODE.replace("accelerate.daemon", "accelerate.carried")
#: In the folder of the library: which scripts have fronts.
LIST = "accelerated"
IDLE = 300  # seconds
_PAUSE = 3_600  # seconds after a refusal


def main() -> int:
    """Check the directory and write its settings, then run the daemon; return its exit status. The
    arguments are those of `daemon.main`.
    """
    place = sys.argv[1]
    try:
        settle(place, command.PACKAGE)
    except ValueError as refusal:
        return _refused(place, str(refusal))
    except OSError as error:
        return _refused(place, f"{error.filename or place}: {error.strerror}")
    return daemon.main()


def _refused(place: str, why: str) -> int:
    """Log why there is no daemon, and have the next one start later; return the exit status."""
    LogFile(os.path.join(place, "log"), limit=ledger.LOG).write(f"{why}\n")
    records.end_waiting(place)  # this one counts for nothing
    records.end_waiting(place, _PAUSE)
    return 1


def settle(place: str, library: str) -> None:
    """Write the settings of the directory `place` for the bundle with the folder `library`.

    `directory.Refusal` if the directory is not safe where it is, `OSError` for what cannot be read or
    written.
    """
    directory.check_user()
    top = os.path.dirname(library)
    base, name = os.path.split(place)
    directory.make(base, name.removeprefix(f"{directory.host()}-"), top)
    pairs = [("folder", top), ("interpreter", sys.executable), ("idle", str(IDLE))]
    for kind, path in records.read(os.path.join(library, LIST)):
        if kind == "script":
            pairs.append((kind, os.path.join(top, path)))
    settings = os.path.join(place, "settings")
    if records.read(settings) != pairs:
        records.write(settings, pairs)
