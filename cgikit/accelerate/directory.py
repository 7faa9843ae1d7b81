"""The directory of a daemon: where it is, what it is called, and which ones are refused.

Whoever can write in it, or put another one in its place, can have programs run as the user. So
`accelerate` makes it, never a request, and only where nobody but the user and root can do that.
"""

import os
import pwd
import stat

LONGEST = 107  # bytes of a socket's path: sun_path of Linux, without its NUL
#: Users that all customers of a server share where there is no suEXEC.
SHARED = frozenset(
    "apache apache2 cgi daemon http httpd lighttpd nginx nobody web www www-data wwwrun".split()
)
#: Directories that are emptied, or in which anybody may write.
_TEMPORARY = ("/tmp", "/var/tmp", "/dev/shm", "/run/lock")  # noqa: S108 -- they are refused
#: What web servers' document roots are called.
_SERVED = frozenset(
    "cgi-bin docroot htdocs html http_public httpdocs public public_html webroot www wwwroot".split()
)


class Refusal(ValueError):
    """What was asked for is not safe, or not possible. The text says why, and what to do."""


def check_user() -> None:
    """`Refusal` if the scripts of this process's user must not share a daemon."""
    user = os.geteuid()
    if user == 0:
        raise Refusal(
            "this command runs as root, and scripts must not; run it as the user whom the web server "
            "runs the scripts as: sudo -u USER cgikit accelerate ..."
        )
    if user != os.getuid():
        raise Refusal(
            f"this process has two users, {os.getuid()} and {user}; log in as one of them, and run it "
            "again"
        )
    name = user_name(user)
    if name in SHARED:
        raise Refusal(
            f"this command runs as {name!r}, a user whom all sites of a server share: their scripts "
            "could reach yours; ask the host for suEXEC (scripts that run as you), or use "
            "cgikit fastcgi on a server of your own"
        )


def user_name(user: int) -> str:
    """Return the name of a user (str), or "" if there is none."""
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return ""


def default_base() -> str:
    """Return the directory (str) that those of the daemons are made in: `.cgikit` in the user's home.

    `Refusal` if the user has no home.
    """
    try:
        home = pwd.getpwuid(os.geteuid()).pw_dir
    except KeyError:
        home = ""
    if not home or not os.path.isdir(home):
        raise Refusal(
            f"user {os.geteuid()} has no home directory; name a directory that only this user can "
            "write in: --directory DIR"
        )
    return os.path.join(os.path.realpath(home), ".cgikit")


def tail(user: int, folder: str, interpreter: str) -> str:
    """Return the end (str) of the directory's name: one for each user, folder and interpreter."""
    from hashlib import sha256

    digest = sha256(os.fsencode(f"{folder}\0{interpreter}")).hexdigest()
    return f"{user}-{digest[:12]}"


def host() -> str:
    """Return the name of this machine (str), with which the directory's name begins."""
    return os.uname().nodename


def place(base: str, end: str) -> str:
    """Return the path (str) of the directory in `base` whose name ends in `end`."""
    return os.path.join(base, f"{host()}-{end}")


def make(base: str, end: str, folder: str) -> str:
    """Make the directory for the scripts in `folder`, if it is missing; return its path (str).

    `Refusal` if it would not be safe there, `OSError` if it cannot be made.
    """
    path = place(base, end)
    check_place(base, folder)
    size = len(os.fsencode(os.path.join(path, "s")))
    if size > LONGEST:
        raise Refusal(
            f"{path}/s has {size} bytes, and the path of a socket at most {LONGEST}; name a directory "
            "with a shorter path: --directory DIR"
        )
    for directory in (base, path):
        if not os.path.lexists(directory):
            os.makedirs(directory, 0o700)
    check(path)
    return path


def check(path: str) -> None:
    """`Refusal` unless `path` is a directory that only this user can use, and that nobody else can
    replace.
    """
    found = os.lstat(path)
    if not stat.S_ISDIR(found.st_mode):
        raise Refusal(f"{path} is not a directory; move it away, and run this again")
    mode = stat.S_IMODE(found.st_mode)
    if found.st_uid != os.geteuid():
        raise Refusal(
            f"{path} belongs to user {found.st_uid}, and this command runs as user {os.geteuid()}; "
            "name another one: --directory DIR"
        )
    if mode & 0o077:
        raise Refusal(f"{path} has mode {mode:04o}, and must have 0700: chmod 700 {path}")
    _check_above(path)


def check_place(base: str, folder: str) -> None:
    """`Refusal` unless `base` may be where the directory for the scripts in `folder` is made."""
    if not os.path.isabs(base):
        raise Refusal(f"{base!r} is not an absolute path; begin it with /")
    if os.path.realpath(base) != base:
        raise Refusal(
            f"{base} leads through a link to {os.path.realpath(base)}; name the directory itself"
        )
    for temporary in _TEMPORARY:
        if _is_below(base, temporary):
            raise Refusal(
                f"{base} is below {temporary}, where others can write and files are removed; name a "
                "directory of your own: --directory DIR"
            )
    served = [word for word in _own_part(base).split("/") if word in _SERVED]
    real = os.path.realpath(folder)
    if served or _is_below(base, real):
        what = real if _is_below(base, real) else f"a directory called {served[0]!r}"
        raise Refusal(
            f"{base} is below {what}, and web servers send what is there; name a directory outside of "
            "the document root: --directory DIR"
        )
    _check_above(base)


def _own_part(path: str) -> str:
    """Return the part of a path that begins with the user's home, or all of it: hosts have homes such
    as /var/www/vhosts/example.org, in which only httpdocs is sent.
    """
    try:
        home = os.path.realpath(pwd.getpwuid(os.geteuid()).pw_dir)
    except KeyError:
        return path
    is_inside = home != "/" and _is_below(path, home)
    return os.path.relpath(path, os.path.dirname(home)) if is_inside else path


def _check_above(path: str) -> None:
    """`Refusal` if somebody else could replace a directory above `path`."""
    above = os.path.dirname(path)
    while True:
        if os.path.lexists(above):
            found = os.lstat(above)
            mode = stat.S_IMODE(found.st_mode)
            if found.st_uid not in (0, os.geteuid()):
                raise Refusal(
                    f"{above} belongs to user {found.st_uid}, who could replace what is in it; name "
                    "a directory in one that is yours: --directory DIR"
                )
            if mode & 0o022 and not mode & stat.S_ISVTX:
                raise Refusal(
                    f"{above} has mode {mode:04o}, so others can replace what is in it; close it "
                    f"(chmod go-w {above}), or name another directory: --directory DIR"
                )
        if above == "/":
            return
        above = os.path.dirname(above)


def _is_below(path: str, directory: str) -> bool:
    return os.path.commonpath([path, directory]) == directory
