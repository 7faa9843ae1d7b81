"""From URL path to script: RFC 3875 sections 3.2, 3.3, 4.1.5 and 8.1, RFC 3986 section 5.2.4.

What a path means is decided here and nowhere else: dot segments, doubled slashes, encoded slashes,
hidden files, symbolic links, and where SCRIPT_NAME ends and PATH_INFO begins. Reads the file
system, runs nothing.

All strings are native (`text.py`), encoded paths too.
"""

import errno
import os
import re
import stat

from .problem import Problem
from .record import Record
from .text import unescaped


class Script(Record):
    """A script that can be run. `file` is its absolute path; `script_name` begins with "/";
    `path_info` is "" or begins with "/". Both are decoded.
    """

    __slots__ = ("file", "path_info", "script_name")

    def __init__(self, file: str, script_name: str, path_info: str = "") -> None:
        self.file = file
        self.script_name = script_name
        self.path_info = path_info

    @property
    def is_nph(self) -> bool:
        """Whether it writes complete HTTP responses, which its name says (R42)."""
        return os.path.basename(self.file).startswith("nph-")


class Directory(Record):
    """A directory below the root. `url` is its decoded path and ends with "/"; `slash` says whether
    the request's path did (if not, relative links would miss it).
    """

    __slots__ = ("path", "slash", "url")

    def __init__(self, path: str, url: str, slash: bool) -> None:
        self.path = path
        self.url = url
        self.slash = slash


def url_path(path: str) -> str:
    """Return a decoded path percent-encoded for a URL (str). The inverse of `segments`."""
    from urllib.parse import quote

    return quote(os.fsencode(path), safe="/!$&'()*+,;=:@-._~")


def split_target(target: str) -> tuple[str, str]:
    """Return (path, query) of a request target, both still encoded (RFC 9112 section 3.2).

    The authority of an absolute-form target is left out, and so is a fragment. `Problem` 400 for
    anything that names no path.
    """
    target = target.partition("#")[0]
    scheme = re.match(r"https?://[^/?]*", target, re.IGNORECASE)
    if scheme:
        target = target[scheme.end() :]
        if not target.startswith("/"):
            target = "/" + target
    path, _, query = target.partition("?")
    if not path.startswith("/"):
        raise Problem(400, "The request's target is not a path.")
    return path, query


def segments(path: str) -> tuple[list[str], bool]:
    """Return the decoded segments of an encoded path, and whether it ends in a slash.

    Dot segments are resolved and empty ones dropped *before* anything is looked up (R50). `Problem`
    400 for no path, a bad escape, a NUL, or one that climbs above the root; 404 for an encoded
    slash (R34: once decoded it could not be told from a real one).
    """
    if not path.startswith("/"):
        raise Problem(400, "The request's target is not a path.")
    decoded: list[str] = []
    for segment in path.split("/"):
        name = unescaped(segment)
        if name is None:
            raise Problem(400, "The URL has a % that is not followed by two hexadecimal digits.")
        if b"/" in name:
            raise Problem(404, "The URL has an encoded slash (%2F), which no path can hold.")
        if b"\0" in name:
            raise Problem(400, "The URL has a NUL character (%00).")
        decoded.append(os.fsdecode(name))
    return _resolved(decoded)


def _resolved(names: list[str]) -> tuple[list[str], bool]:
    """Resolve dot segments and drop empty ones; tell whether the path ended in a slash."""
    kept: list[str] = []
    for name in names:
        if name == "..":
            if not kept:
                raise Problem(400, "The URL climbs above the root.")
            kept.pop()
        elif name not in ("", "."):
            kept.append(name)
    return kept, names[-1] in ("", ".", "..")


def locate(root: str, path: str) -> Script | Directory:
    """Return what the encoded URL path names below the directory `root`.

    The first segment that is a file is the script, the rest is PATH_INFO. `Problem` 404 for what
    does not exist, is hidden, or leads out of the root by a symbolic link; 403 for what exists and
    cannot be run, with the fix.
    """
    return _walk(os.path.realpath(root), *segments(path))


def find(root: str, path: str) -> Script | Directory:
    """Return what a path names that a web server has decoded already: `locate` for such a path.

    `root` must be a real path. A file right in the root, which most scripts are, takes one look at
    the file system; the answer is that of the long way.
    """
    name = path[1:]
    if name and path.startswith("/") and "/" not in name and not name.startswith("."):
        file = f"{root}/{name}"
        try:
            mode = os.lstat(file).st_mode
        except (OSError, ValueError):
            mode = 0
        if stat.S_ISREG(mode) and os.access(file, os.X_OK):
            return Script(file, path)
    if not path.startswith("/"):
        raise Problem(400, "The request's path does not begin with a slash.")
    return _walk(root, *_resolved(path.split("/")))


def _walk(root: str, names: list[str], slash: bool) -> Script | Directory:
    current = root
    for index, name in enumerate(names):
        if name.startswith("."):
            raise _missing(names[: index + 1])
        current = os.path.join(current, name)
        mode = _mode(current, names[: index + 1])
        _refuse_escape(root, current, names[: index + 1])
        if not stat.S_ISDIR(mode):
            _check_runnable(current, name, mode)
            rest = "".join("/" + part for part in names[index + 1 :])
            script_name = "/" + "/".join(names[: index + 1])
            return Script(current, script_name, rest + "/" if slash else rest)
    url = "".join("/" + name for name in names) + "/"
    return Directory(current, url, slash)


def _mode(path: str, names: list[str]) -> int:
    try:
        return os.stat(path).st_mode
    except OSError as error:
        if error.errno == errno.EACCES:
            raise Problem(
                403,
                f"The server's user may not look into the directory that holds {names[-1]}.",
                f"chmod a+x {os.path.dirname(path)}",
            ) from error
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG):
            raise _missing(names) from error
        raise Problem(500, f"{names[-1]} cannot be looked up: {error.strerror}.") from error


def _missing(names: list[str]) -> Problem:
    return Problem(
        404,
        f"There is no script at /{'/'.join(names)}.",
        "Check the spelling; names that begin with a dot are never served.",
    )


def _refuse_escape(root: str, path: str, names: list[str]) -> None:
    # A symbolic link to /usr/bin would turn every program of the machine into a script
    real = os.path.realpath(path)
    if os.path.commonpath((root, real)) != root:
        raise Problem(
            404,
            f"/{'/'.join(names)} is a symbolic link that leads out of the served directory.",
            "Copy the script into the directory.",
        )


def _check_runnable(path: str, name: str, mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise Problem(403, f"{name} is not a regular file.")
    if not os.access(path, os.X_OK):
        raise Problem(403, f"{name} is not executable.", f"chmod +x {name}")
