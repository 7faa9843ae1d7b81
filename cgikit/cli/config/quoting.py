"""Quotes paths and words for the syntax of each server's configuration.

One function for each syntax: it takes a str and returns it quoted. A value that the syntax cannot
express raises `Unsayable`; it is never written as something else. Only escapes are used that the
server's own parser was seen to decode. Every value from outside goes through one of these functions;
a `Site` already refuses what no syntax can express, such as a line end.
"""

import shlex
from collections.abc import Iterable


class Unsayable(ValueError):
    """A value that the syntax of a configuration cannot express. The message names it and says why."""


def refuse(text: str, characters: str, syntax: str) -> None:
    """Raise `Unsayable` if `text` contains one of `characters`, or a control character."""
    for character in text:
        if character in characters or not character.isprintable():
            raise Unsayable(f"{text!r} contains {character!r}, which {syntax} cannot express here")


def shell(text: str) -> str:
    """Return a word of a POSIX shell's command line."""
    refuse(text, "", "a command in a comment")
    return shlex.quote(text)


def words(command: Iterable[str]) -> str:
    """Return a command line of a POSIX shell."""
    return " ".join(map(shell, command))


def apache(text: str) -> str:
    """Return an argument of a directive of httpd."""
    # ${NAME} is replaced inside quotes too; the others turn <Directory> into a pattern, or end the path
    # of a socket in ProxyPass
    refuse(text, "$%*?[]|#\\", "httpd's configuration")
    return '"' + text.replace('"', '\\"') + '"'


def nginx(text: str) -> str:
    """Return an argument of a directive of nginx."""
    # nginx takes it for a variable, in every path
    refuse(text, "$", "nginx's configuration")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def lighttpd(text: str) -> str:
    """Return a string of lighttpd's configuration."""
    refuse(text, '"\\', "lighttpd's configuration")
    return f'"{text}"'


def caddy(text: str) -> str:
    """Return a token of a Caddyfile."""
    # Braces begin a placeholder; a backslash escapes only a quote
    refuse(text, "{}\\`", "a Caddyfile")
    return '"' + text.replace('"', '\\"') + '"'


def python(text: str) -> str:
    """Return a string literal of Python."""
    refuse(text, "", "a line of Python")
    return repr(text)


def systemd(text: str, *, setting: bool = False) -> str:
    """Return a word of a unit's command line (systemd.service, section "Command lines").

    `setting` means another setting, such as Environment=, in which a dollar sign is ordinary.
    """
    refuse(text, "", "a unit")
    text = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return '"' + (text if setting else text.replace("$", "$$")) + '"'


def systemd_path(text: str) -> str:
    """Return a path that is the whole value of a unit's setting."""
    refuse(text, "\\\"' ", "this setting of a unit")
    return text.replace("%", "%%")


def systemd_program(text: str) -> str:
    """Return the first word of a unit's command line, which may have neither "$$" nor quotes."""
    refuse(text, "$\"'\\", "the program of a unit")
    return systemd(text)


def nginx_socket(text: str) -> str:
    """Return the address of a UNIX socket for nginx."""
    refuse(text, ":", "the address of a socket in nginx")
    return nginx(f"unix:{text}")


def apache_socket(text: str, scheme: str, path: str = "") -> str:
    """Return the URL of a backend at a UNIX socket, for httpd's ProxyPass."""
    return f"{apache(f'unix:{text}')[:-1]}|{scheme}://localhost/{apache(path)[1:]}"


def caddy_socket(text: str) -> str:
    """Return the address of a UNIX socket for Caddy, which allows no quotes after "unix/"."""
    refuse(text, "{}\\`\"' |", "the address of a socket in Caddy")
    return f"unix/{text}"


def uwsgi(text: str) -> str:
    """Return a value of an option of uWSGI, which replaces text after "%", "@" and "$"."""
    refuse(text, "%@$", "an option of uWSGI")
    return text
