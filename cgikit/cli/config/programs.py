"""Where the servers' programs are: on Debian in directories that an ordinary user's PATH lacks."""

import os
import shutil

#: Beside the PATH.
DIRECTORIES = "/usr/local/sbin:/usr/sbin:/sbin"


def absolute(name: str) -> str:
    """Return the path of a program (str), or its name where it is not installed."""
    path = f"{os.environ.get('PATH', os.defpath)}:{DIRECTORIES}"
    return shutil.which(name, path=path) or name


def command(name: str) -> str:
    """Return the word that starts a program: its name, or its path where PATH does not lead to it."""
    return name if shutil.which(name) else absolute(name)
