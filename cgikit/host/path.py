"""From URL path to script: RFC 3875 sections 3.2, 3.3, 4.1.5 and 8.1, RFC 3986 section 5.2.4.

This module alone decides what a path means: dot segments, doubled slashes, encoded slashes, hidden
files, symbolic links, and where SCRIPT_NAME ends and PATH_INFO begins. It reads the file system and
runs nothing.

All strings are native (`native.py`), encoded paths too.
"""

import errno
import os
import re
import stat

from .native import unescaped
from .problem import Problem
from .rules import NONE, Rules, is_below
from .value import Value


class Script(Value):
    """A script that can be run. `file` is its absolute path; `script_name` begins with "/";
    `path_info` is "" or begins with "/". Both are decoded. `interpreter` is the program that runs it,
    "" if it runs by itself; `outside` says that an allowed link leads to it.
    """

    __slots__ = ("file", "interpreter", "outside", "path_info", "script_name")

    def __init__(
        self,
        file: str,
        script_name: str,
        path_info: str = "",
        interpreter: str = "",
        outside: bool = False,
    ) -> None:
        self.file = file
        self.script_name = script_name
        self.path_info = path_info
        self.interpreter = interpreter
        self.outside = outside

    @property
    def is_nph(self) -> bool:
        """Whether it writes complete HTTP responses, as its name (`nph-…`) declares (R42)."""
        return os.path.basename(self.file).startswith("nph-")


class Static(Value):
    """A file that is sent unchanged. `file` is its absolute path."""

    __slots__ = ("file",)

    def __init__(self, file: str) -> None:
        self.file = file


class Directory(Value):
    """A directory below the root. `url` is its decoded path and ends with "/"; `ends_in_slash` says
    whether the request's path did (if not, relative links would resolve one level too high).
    """

    __slots__ = ("ends_in_slash", "path", "url")

    def __init__(self, path: str, url: str, ends_in_slash: bool) -> None:
        self.path = path
        self.url = url
        self.ends_in_slash = ends_in_slash


def url_path(path: str) -> str:
    """Return a decoded path percent-encoded for a URL (str). The inverse of `segments`."""
    from urllib.parse import quote

    return quote(os.fsencode(path), safe="/!$&'()*+,;=:@-._~")


def split_target(target: str) -> tuple[str, str]:
    """Return (path, query) of a request target, both still encoded (RFC 9112 section 3.2).

    The authority of an absolute-form target is left out, and so is a fragment. `Problem` 400 for a
    target without a path.
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
    400 if it is not a path, has a bad escape or a NUL, or leads above the root; 404 for an encoded
    slash (R34: once decoded, it could not be distinguished from a real one).
    """
    if not path.startswith("/"):
        raise Problem(400, "The request's target is not a path.")
    decoded: list[str] = []
    for segment in path.split("/"):
        name = unescaped(segment)
        if name is None:
            raise Problem(400, "The URL has a % that is not followed by two hexadecimal digits.")
        if b"/" in name:
            raise Problem(
                404, "The URL has an encoded slash (%2F), which paths here may not contain."
            )
        if b"\0" in name:
            raise Problem(400, "The URL has a NUL character (%00).")
        decoded.append(os.fsdecode(name))
    return _resolved(decoded)


def _resolved(names: list[str]) -> tuple[list[str], bool]:
    """Resolve dot segments and drop empty ones; return also whether the path ended in a slash."""
    kept: list[str] = []
    for name in names:
        if name == "..":
            if not kept:
                raise Problem(400, "The URL has more `..` segments than directories to leave.")
            kept.pop()
        elif name not in ("", "."):
            kept.append(name)
    return kept, names[-1] in ("", ".", "..")


def locate(root: str, path: str, rules: Rules = NONE) -> Script | Directory | Static:
    """Return what the encoded URL path names below the directory `root`. If `root` is itself a script,
    the whole path is PATH_INFO.

    The first segment that is a file is the script, the rest is PATH_INFO. `Problem` 404 if the path
    does not exist, is hidden, or leads out of the root by a symbolic link; 403 if the file cannot be
    run: the `Problem` says how to fix it. `rules` are the site owner's exceptions.
    """
    root = os.path.realpath(root)
    names, slash = segments(path)
    if not os.path.isdir(root):
        rest = "".join("/" + name for name in names) + ("/" if slash else "")
        return Script(root, "", rest, rules.interpreter(root))
    return _walk(root, names, slash, rules)


def locate_decoded(root: str, path: str) -> Script | Directory:
    """Like `locate`, but for a path that the web server has already decoded.

    `root` must be a real path. A file directly in the root, the usual case, costs one lstat; the result
    is the same as that of the general case.
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
    place = _walk(root, *_resolved(path.split("/")), NONE)
    assert not isinstance(place, Static)  # noqa: S101 -- no rule allows it
    return place


def _walk(root: str, names: list[str], slash: bool, rules: Rules) -> Script | Directory | Static:
    current = root
    for index, name in enumerate(names):
        here = names[: index + 1]
        if name.startswith("."):
            raise _missing(here)
        current = os.path.join(current, name)
        mode = _mode(current, here)
        real = os.path.realpath(current)
        if not rules.allows(root, here, real):
            raise _escape(here, rules)
        if not stat.S_ISDIR(mode):
            rest = "".join("/" + part for part in names[index + 1 :]) + ("/" if slash else "")
            return _file(root, current, real, here, rest, mode, rules)
    url = "".join("/" + name for name in names) + "/"
    if rules.index and (slash or not names):
        try:
            found = _walk(root, [*names, rules.index], False, rules)
        except Problem as problem:
            if problem.status != 404:
                raise
        else:
            if not isinstance(found, Directory):
                return found
    return Directory(current, url, slash)


def _file(
    root: str, path: str, real: str, names: list[str], rest: str, mode: int, rules: Rules
) -> Script | Static:
    """Return a script, or a file to send. `Problem` 403 if the file is neither."""
    if not stat.S_ISREG(mode):
        raise Problem(403, f"{names[-1]} is not a regular file.")
    interpreter = rules.interpreter(names[-1])
    if interpreter or os.access(path, os.X_OK):
        outside = not is_below(root, real)
        return Script(path, "/" + "/".join(names), rest, interpreter, outside)
    from ..checking.firstline import typed
    from ..vendored import is_vendored
    from .statictypes import is_data, is_static

    real_names = (
        os.path.relpath(real, root).split("/") if is_below(root, real) else [real.split("/")[-1]]
    )
    if is_data(names) or (is_static(names) and not is_static(real_names)):
        what = f"{names[-1]} is not a script, and files of this type are never served."
        raise Problem(403, what)
    if not is_static(names):
        if is_vendored(real):
            raise Problem(403, f"{names[-1]} is a module that cgikit vendor wrote, not a script.")
        if mode & 0o111:  # executable, but not by us: chmod +x alone may not help
            what = f"The server's user has no permission to run {names[-1]}."
            raise Problem(403, what, f"chmod a+rx {typed(path)}")
        raise Problem(403, f"{names[-1]} is not executable.", f"chmod +x {typed(path)}")
    if not rules.static:
        what = f"{names[-1]} is not a script, and files beside the scripts are not sent."
        fix = "Start the server with --static to have such files sent."
        raise Problem(403, what, _FIX_STATIC if rules is NONE else fix)
    if rest:
        raise _missing([*names, rest[1:]])
    return Static(path)


def _mode(path: str, names: list[str]) -> int:
    try:
        return os.stat(path).st_mode
    except OSError as error:
        if error.errno == errno.EACCES:
            from ..checking.firstline import typed

            raise Problem(
                403,
                f"The server's user has no permission to enter the directory of {names[-1]}.",
                f"chmod a+x {typed(os.path.dirname(path))}",
            ) from error
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG):
            raise _missing(names) from error
        raise Problem(500, f"{names[-1]} cannot be looked up: {error.strerror}.") from error


def _missing(names: list[str]) -> Problem:
    return Problem(
        404,
        f"Nothing is served at /{'/'.join(names)}.",
        "Check the spelling; names that begin with a dot are never served.",
    )


# Used with rules=NONE: there are no command-line options; the web server has its own
_FIX_STATIC = "Have the web server send such files itself."
_FIX_ESCAPE = "Copy it into the directory."


def _escape(names: list[str], rules: Rules) -> Problem:
    # A symbolic link to /usr/bin would turn every program on the machine into a script
    fix = f"Copy it into the directory, or allow this link with --follow {'/'.join(names)}."
    return Problem(
        404,
        f"/{'/'.join(names)} is a symbolic link that leads out of the served directory.",
        _FIX_ESCAPE if rules is NONE else fix,
    )
