"""Any Python as if it were 3.13 without legacy-cgi: code that hides modules `cgi` and `cgitb`.

It stands in front of the code of a process that a test starts, or in a `sitecustomize` on its
PYTHONPATH. Modules of these names elsewhere on the path are found as they would be.
"""

from pathlib import Path

HIDE = """
import os, sys
from importlib.machinery import PathFinder
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name in ("cgi", "cgitb"):
            library = os.path.dirname(os.path.realpath(os.__file__))
            path = [place for place in sys.path if os.path.realpath(place) != library
                    and not place.endswith(("site-packages", "dist-packages"))]
        return PathFinder.find_spec(name, path, target)
    def __getattr__(self, name):
        return getattr(PathFinder, name)
sys.meta_path[sys.meta_path.index(PathFinder)] = Hidden()
"""


def hiding(directory: Path) -> str:
    """Make a directory whose path, as PYTHONPATH, hides the modules in every Python; return it."""
    directory.mkdir()
    (directory / "sitecustomize.py").write_text(HIDE)
    return str(directory)
