"""Checks passwords against files of Apache's `htpasswd`.

The hashes are those of `htpasswd -B` (bcrypt), `-5` and `-2` (SHA-crypt), `-m` (apr1), `-s` (SHA-1) and
`-d` (crypt of DES). They are computed by libpass, an extra. A password stored as plain text is refused.
Files are only read; `htpasswd` writes them.
"""

import os
import stat

from .errors import StorageError, reason_of
from .process import absolute
from .regularfile import open_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MOST = 4 << 20  # bytes of a file: about 50,000 users
_LONGEST = 1_024  # characters of a password; libpass refuses more than 4,096
_HANDLERS = (
    # How a hash begins, and its class in passlib.hash
    ("$2", "bcrypt"),
    ("$apr1$", "apr_md5_crypt"),
    ("$5$", "sha256_crypt"),
    ("$6$", "sha512_crypt"),
    ("{SHA}", "ldap_sha1"),
)
_DES = frozenset("./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")


class Htpasswd:
    """A password file: `Htpasswd("/srv/site/users").check(username, password)`.

    The file is read by each `check`, so a changed password takes effect immediately. A file that is
    unreadable, that everybody may write to, or that has an invalid line raises `StorageError`, which
    names the line's number. Without libpass and bcrypt, the first password that has to be checked
    raises an `ImportError` that says what to install.
    """

    def __init__(self, path: "str | os.PathLike[str]") -> None:
        self.path = absolute(path)

    def __repr__(self) -> str:
        return f"Htpasswd({self.path!r})"

    def check(self, username: str | None, password: str | None) -> bool:
        """Return whether the file has this user with this password.

        False if either is None, as in `request.authorization` for schemes other than Basic. For an
        unknown user another user's hash is computed, so that the time does not show whose name is in
        the file. bcrypt uses only the first 72 bytes of a password, in every program.
        """
        entries = parse(self.path, self._read())
        if username is None or password is None or not entries:
            return False
        stored_secret = entries.get(username)
        is_known = stored_secret is not None
        if stored_secret is None:
            # Always the same one for a name: a different one each time would give the name away.
            from zlib import crc32

            at = crc32(username.encode("utf-8", "surrogatepass")) % len(entries)
            stored_secret = list(entries.values())[at]
        return _verify(password, stored_secret) and is_known

    def _read(self) -> bytes:
        try:
            with open(open_regular(self.path, follow=True), "rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                if mode & stat.S_IWOTH:
                    raise StorageError(
                        self.path,
                        f"everybody may write to it (mode {stat.S_IMODE(mode):04o}), and so could "
                        f"add a user; let only its owner write: chmod o-w {self.path}",
                    )
                raw = file.read(_MOST + 1)
        except StorageError:
            raise
        except OSError as error:
            raise StorageError(
                self.path, f"the passwords cannot be read: {reason_of(error)}"
            ) from None
        if len(raw) > _MOST:
            raise StorageError(
                self.path, f"it has more than {_MOST} bytes; use a database for so many users"
            )
        return raw


def parse(path: str, raw: bytes) -> dict[str, str]:
    """Return the hashes by user name in the content of the password file `path`.

    Empty lines and those that begin with `#` are skipped. What follows a second colon is ignored, and
    of two lines for one user the first counts, as in Apache. Other lines raise `StorageError`.
    """
    text = raw.decode("utf-8-sig", "surrogateescape")
    entries: dict[str, str] = {}
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        line = line.strip(" \t\r")
        if not line or line[0] == "#":
            continue
        username, colon, rest = line.partition(":")
        stored_secret = rest.partition(":")[0]
        if not colon or not username:
            raise StorageError(path, f"line {number} is not USER:HASH; remove it, or use htpasswd")
        if _handler(stored_secret) is None:
            raise StorageError(
                path,
                f"line {number}: the password of {username[:100]!r} has an unknown or unsafe "
                f"kind of hash; set it again: htpasswd -B {path} {username[:100]}",
            )
        entries.setdefault(username, stored_secret)
    return entries


def _handler(stored_secret: str) -> str | None:
    """Return the name of the class in passlib.hash for a hash; None for one that is not supported."""
    for start, name in _HANDLERS:
        if stored_secret.startswith(start):
            return name
    if len(stored_secret) == 13 and _DES.issuperset(stored_secret):
        return "des_crypt"
    return None


def _verify(password: str, stored_secret: str) -> bool:
    if not 0 < len(password) <= _LONGEST or "\0" in password:
        return False
    name = _handler(stored_secret)
    try:
        import passlib.hash as hashes

        if name == "bcrypt":
            import bcrypt
    except ImportError as error:
        raise ImportError(
            f"checking passwords needs libpass and bcrypt ({error}), the extra cgikit[htpasswd]; "
            "install them: pip install 'libpass>=1.9' 'bcrypt>=4.1'"
        ) from None
    try:
        secret = password.encode("utf-8", "surrogateescape")
        if name == "bcrypt":
            return bool(bcrypt.checkpw(secret[:72], stored_secret.encode()))
        handler: Any = getattr(hashes, str(name))
        return bool(handler.verify(secret, stored_secret))
    except ValueError:  # a hash that is cut, or a password that is not text
        return False
