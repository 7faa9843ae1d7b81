"""`cgi` and `cgitb` for scripts below `cgikit serve --compat`: this directory is on their PYTHONPATH.

An interpreter that has a module of this name, in its own library or installed, gets that one. All
others get cgikit's, if they have cgikit. Any Python can read this file, old ones too; it is the same
for both names.
"""

import os
import sys


def _stand_aside():
    # type: () -> None
    here = os.path.dirname(os.path.abspath(__file__))
    name, path = __name__, sys.path[:]
    own = sys.modules.pop(name)
    sys.path[:] = [place for place in path if os.path.abspath(place) != here]
    try:
        __import__(name)  # which is in sys.modules then, and what the script gets
        found = sys.modules[name]
        if hasattr(found, "__path__") and getattr(found, "__file__", None) is None:
            # A directory of scripts, perhaps. The module of Python 3.12 came before that
            raise ImportError("%s is a directory" % name)
        # And so does a thread that imports it at the same moment, and has this one
        globals().update(vars(sys.modules[name]))
        return
    except ImportError:
        sys.modules[name] = own
    finally:
        sys.path[:] = path
    missing = False
    try:
        __import__("cgikit.compat." + name)
    except ImportError as error:
        missing = (getattr(error, "name", "") or "cgikit").split(".")[0] == "cgikit"
        if not missing:
            raise
    if missing:
        raise ImportError(
            "Python %d.%d has no module named '%s', and %s has no cgikit whose module could stand in: "
            "run %s -m pip install cgikit"
            % (sys.version_info[:2] + (name,) + (sys.executable,) * 2)
        )
    found = sys.modules["cgikit.compat." + name]
    globals().update(vars(found))
    sys.modules[name] = found


_stand_aside()
