"""What of a directory is served, beside the executable files in it: what its owner has allowed.

Nothing is, unless it was asked for: links out of the root, an interpreter by extension (as mod_actions
has it), a script that answers for a directory (as DirectoryIndex does), files that are sent as they
are. What a path means with these rules is decided in `path.py`.
"""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Rules:
    """`follow` are links in the root, as "a/b", that may lead out of it; `interpreters` maps extensions
    (".php") to absolute paths of programs; `index` is a file name; `static` sends files that belong to
    a page.
    """

    __slots__ = ("_follow", "index", "interpreters", "static")

    def __init__(
        self,
        *,
        follow: "Iterable[str]" = (),
        interpreters: "Mapping[str, str] | None" = None,
        index: str = "",
        static: bool = False,
    ) -> None:
        self._follow = frozenset(os.path.normpath(link.strip("/")) for link in follow)
        self.interpreters = dict(interpreters or {})
        self.index = index
        self.static = static

    def interpreter(self, name: str) -> str:
        """Return the program that runs a file of this name, "" if it is to run by itself."""
        return self.interpreters.get(os.path.splitext(name)[1].lower(), "")

    def allows(self, root: str, names: "list[str]", real: str) -> bool:
        """Whether the file or directory at `names` below the real path `root` may be used, when `real`
        is where it really is: in the root, or where a link leads that may lead out. Links behind such a
        link may not lead out of there in turn.
        """
        if is_below(root, real):
            return True
        for count in range(1, len(names) + 1):
            link = "/".join(names[:count])
            if link in self._follow and is_below(os.path.realpath(f"{root}/{link}"), real):
                return True
        return False


def is_below(directory: str, path: str) -> bool:
    """Whether a real path is a directory, or a file, or something in it."""
    return os.path.commonpath((directory, path)) == directory


NONE = Rules()
