"""Tries a front before it is used: does it hand over a request on this machine?

The trial plays the daemon in a directory of its own, checks the message and the descriptors, and has
the front end with a status. What is tried is the very text that the front will have, but for the names
of script and directory. No script runs.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable

from . import directory, message

TIMES = 3  # a busy machine may be late once
DEADLINE = 10.0  # seconds for each step
STATUS = 71  # no front ends so by itself


def why_not(text: Callable[[str, str], bytes], base: str) -> str:
    """Return why a front does not work here (str), or "" if it does. `text` makes its text for a script
    and the end of a directory's name in `base`.
    """
    end = f"{os.geteuid()}-trial{os.getpid()}"
    place = directory.place(base, end)
    os.makedirs(place, 0o700)
    try:
        with tempfile.TemporaryDirectory(dir=place) as name:
            front = os.path.join(name, "front.cgi")
            with open(front, "xb") as file:
                file.write(text(os.path.join(name, "script"), end))
            os.chmod(front, 0o700)
            why = ""
            for _ in range(TIMES):
                why = _try(front, place)
                if not why:
                    break
            return why
    except OSError as error:
        return f"{error.filename or 'it'}: {error.strerror}"
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _try(front: str, place: str) -> str:
    path = os.path.join(place, "s")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.settimeout(DEADLINE)
        listener.bind(path)
        listener.listen(1)
        with subprocess.Popen(  # noqa: S603 -- it was just written
            [front, "a word"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=os.path.dirname(front),
            env={"PATH": os.defpath, "TRIAL": "a\nb"},
        ) as process:
            try:
                connection, _ = listener.accept()
            except OSError:
                process.kill()
                why = "it does not connect"
            else:
                why = _serve(connection, process.pid)
            try:
                output, errors = process.communicate(timeout=DEADLINE)
            except subprocess.TimeoutExpired:
                process.kill()
                output, errors = process.communicate()
                why = why or "it does not end"
    said = errors.decode("utf-8", "replace").strip()
    if not why and (output, process.returncode) != (b"output", STATUS):
        why = "it does not pass on what it is told"
    return f"{why}: {said}" if why and said else why


def _serve(connection: socket.socket, pid: int) -> str:
    """Play the daemon and its child for one request; return what was wrong with it, or ""."""
    with connection:
        connection.settimeout(DEADLINE)
        try:
            return _converse(connection, pid)
        except OSError:
            return "it does not go on"


def _converse(connection: socket.socket, pid: int) -> str:
    with contextlib.suppress(BrokenPipeError):  # gone already; what it sent is still there
        connection.sendall(b"H\n")
    data, fds, _, _ = socket.recv_fds(connection, message.MOST, 8)
    try:
        told = message.unpack(data[message.HEAD :])
        if len(fds) != 3 or told.arguments != [b"a word"]:
            return "its message is not whole"
        if dict(zip(told.names, told.values, strict=True)).get(b"TRIAL") != b"a\nb":
            return "its message has another environment"
        connection.sendall(b"R %d %d\n" % (os.getpid(), pid))
        if connection.recv(1) != b"G":
            return "it does not go on"
        os.write(fds[1], b"output")
    except ValueError as error:
        return str(error)
    finally:
        for fd in fds:
            os.close(fd)
    connection.sendall(b"E %d\n" % STATUS)
    return ""
