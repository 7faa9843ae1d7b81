"""What is served from a directory besides its executable files: what its owner has allowed.

By default, nothing. The owner can allow links out of the root, an interpreter by extension (as
mod_actions does), a script that answers for a directory (as DirectoryIndex does), and sending files
unchanged. `path.py` decides what a path means under these rules.
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
        """Whether the file or directory at `names` below the real path `root`, whose real path is
        `real`, may be used: it is in the root, or below the target of an allowed link. Links inside
        that target may not lead out of it.
        """
        if is_below(root, real):
            return True
        for count in range(1, len(names) + 1):
            link = "/".join(names[:count])
            if link in self._follow and is_below(os.path.realpath(f"{root}/{link}"), real):
                return True
        return False


def is_below(directory: str, path: str) -> bool:
    """Whether a real path is `directory` itself or below it."""
    return os.path.commonpath((directory, path)) == directory


NONE = Rules()
