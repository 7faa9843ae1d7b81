"""Where the servers' programs are: on Debian in directories that are not on an ordinary user's PATH."""

import os
import shutil

#: Searched after the PATH.
DIRECTORIES = "/usr/local/sbin:/usr/sbin:/sbin"


def absolute(name: str) -> str:
    """Return the path of a program (str), or its name if it is not installed."""
    path = f"{os.environ.get('PATH', os.defpath)}:{DIRECTORIES}"
    return shutil.which(name, path=path) or name


def command(name: str) -> str:
    """Return the word that starts a program (str): its name, or its path if it is not on the PATH."""
    return name if shutil.which(name) else absolute(name)
