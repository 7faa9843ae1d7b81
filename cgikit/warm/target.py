"""Which script a FastCGI or SCGI request is for: always a file below the root, whatever the peer says.

`host/wsgi.py` decides it for a request by HTTP; `host/path.py` finds the file of a path.
"""

from ..host.output import is_local
from ..host.path import Script, locate_decoded
from ..host.problem import Problem
from .requestvariables import path_of, single_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from .settings import Settings


def is_below(location: str, prefix: str) -> bool:
    """Whether a Location leads to one of our scripts: a local one, with the same prefix (R45).

    Any other path belongs to the web server, which gets the Location as the script printed it.
    """
    return is_local(location) and location.partition("?")[0].startswith(prefix + "/")


def script_for(variables: "Mapping[str, str]", settings: "Settings", single: bool) -> Script:
    """Return the script that a request is for: a file below the root, whatever the peer says
    SCRIPT_FILENAME is (S25). `single` tells that the root is one script. `Problem` if there is none.
    """
    path, rest = path_of(variables)
    if single:
        return Script(settings.root, *single_path(path, rest, settings.mount))
    path += rest
    prefix = settings.prefix
    if prefix:
        if not path.startswith(prefix + "/"):
            raise Problem(
                404,
                f"{path} is not below {prefix}, which --prefix names.",
                "Let the prefix be the URL path at which the web server serves the scripts.",
            )
        path = path[len(prefix) :]
    place = locate_decoded(settings.root, path)
    if not isinstance(place, Script):
        raise Problem(404, f"{path} is a directory.", "Ask for a script in it.")
    if prefix:
        place.script_name = prefix + place.script_name
    return place
