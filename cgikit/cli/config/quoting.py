"""Paths and words as the syntax of each server's configuration writes them.

One function a syntax: str in, str with its quotes out. What a syntax cannot say raises `Unsayable`,
rather than be written as something else. No escape is used here that the server's own parser was not
seen to take back. Every value from outside goes through one of these functions; a `Site` refuses before
what no syntax can say, such as the end of a line.
"""

import shlex
from collections.abc import Iterable


class Unsayable(ValueError):
    """A value that a configuration's syntax has no way to write; the message names it and why."""


def refuse(text: str, characters: str, syntax: str) -> None:
    """Raise `Unsayable` where `text` holds one of `characters`, or a control character."""
    for character in text:
        if character in characters or not character.isprintable():
            raise Unsayable(f"{text!r} holds {character!r}, which {syntax} cannot say here")


def shell(text: str) -> str:
    """Return a word of a POSIX shell's command line."""
    refuse(text, "", "a command in a comment")
    return shlex.quote(text)


def words(command: Iterable[str]) -> str:
    """Return a command line of a POSIX shell."""
    return " ".join(map(shell, command))


def apache(text: str) -> str:
    """Return an argument of a directive of httpd."""
    # ${NAME} is replaced inside quotes too; the others make a pattern of <Directory>, or end the path
    # of a socket in ProxyPass.
    refuse(text, "$%*?[]|#\\", "httpd's configuration")
    return '"' + text.replace('"', '\\"') + '"'


def nginx(text: str) -> str:
    """Return an argument of a directive of nginx."""
    refuse(text, "$", "nginx's configuration")  # a variable, wherever a path is meant
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def lighttpd(text: str) -> str:
    """Return a string of lighttpd's configuration."""
    refuse(text, '"\\', "lighttpd's configuration")
    return f'"{text}"'


def caddy(text: str) -> str:
    """Return a token of a Caddyfile."""
    refuse(text, "{}\\`", "a Caddyfile")  # placeholders, and an escape only before a quote
    return '"' + text.replace('"', '\\"') + '"'


def python(text: str) -> str:
    """Return a string literal of Python."""
    refuse(text, "", "a line of Python")
    return repr(text)


def systemd(text: str, *, setting: bool = False) -> str:
    """Return a word of a unit's command line (systemd.service, section "Command lines").

    `setting`: of another setting, such as Environment=, where a dollar sign has no meaning.
    """
    refuse(text, "", "a unit")
    text = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return '"' + (text if setting else text.replace("$", "$$")) + '"'


def systemd_path(text: str) -> str:
    """Return a path that is the whole of a unit's setting."""
    refuse(text, "\\\"' ", "this setting of a unit")
    return text.replace("%", "%%")


def systemd_program(text: str) -> str:
    """Return the first word of a unit's command line, where systemd takes neither "$$" nor quotes."""
    refuse(text, "$\"'\\", "the program of a unit")
    return systemd(text)


def nginx_socket(text: str) -> str:
    """Return the address of a UNIX socket for nginx."""
    refuse(text, ":", "nginx's address of a socket")
    return nginx(f"unix:{text}")


def apache_socket(text: str, scheme: str, path: str = "") -> str:
    """Return the URL of what answers at a UNIX socket, for httpd's ProxyPass."""
    return f"{apache(f'unix:{text}')[:-1]}|{scheme}://localhost/{apache(path)[1:]}"


def caddy_socket(text: str) -> str:
    """Return the address of a UNIX socket for Caddy: no quotes may stand behind "unix/"."""
    refuse(text, "{}\\`\"' |", "Caddy's address of a socket")
    return f"unix/{text}"


def uwsgi(text: str) -> str:
    """Return a value of an option of uWSGI, which replaces what begins with "%", "@" or "$"."""
    refuse(text, "%@$", "an option of uWSGI")
    return text
