"""Internal. The functions of the removed `cgi` module that print: each a piece of a page about the
request or the script. Everything that is printed is escaped, and of the environment what may hold a
secret is hidden.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

_VARIABLES = (
    "AUTH_TYPE CONTENT_LENGTH CONTENT_TYPE DOCUMENT_ROOT GATEWAY_INTERFACE PATH_INFO"
    " PATH_TRANSLATED QUERY_STRING REMOTE_ADDR REMOTE_HOST REMOTE_IDENT REMOTE_USER REQUEST_METHOD"
    " SCRIPT_NAME SERVER_NAME SERVER_PORT SERVER_PROTOCOL SERVER_SOFTWARE"
).split()
_FIELDS = "HTTP_ACCEPT HTTP_CONNECTION HTTP_HOST HTTP_PRAGMA HTTP_REFERER HTTP_USER_AGENT".split()


def escape(s: str, quote: "bool | None" = None) -> str:
    """Return text with `&`, `<` and `>` as references, and with `quote` the double quote (Python
    removed this one in 3.8).
    """
    s = s.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return s.replace('"', "&quot;") if quote else s


def print_exception(
    type: "Any" = None, value: "Any" = None, tb: "Any" = None, limit: "int | None" = None
) -> None:
    """Print the traceback of an error, of the one that is handled without arguments."""
    import traceback

    error = sys.exc_info() if type is None else (type, value, tb)
    *lines, last = [
        *traceback.format_tb(error[2], limit),
        *traceback.format_exception_only(error[0], error[1]),
    ]
    _heading("Traceback (most recent call last):")
    print(f"<pre>{escape(''.join(lines))}<strong>{escape(last)}</strong></pre>\n")


def print_environ(environ: "Any" = None) -> None:
    """Print the environment: all names, and the values that hold no secret."""
    from cgikit.maskedenviron import masked

    _heading("Shell Environment:")
    _definitions(
        (name, escape(value))
        for name, value in masked(os.environ if environ is None else environ).items()
    )


def print_form(form: "Any") -> None:
    """Print the fields of a form, with their types."""
    _heading("Form Contents:")
    if not form.keys():
        print("<p>No form fields.</p>")
    _definitions(
        (
            str(key),
            f"<em>{escape(repr(type(form[key])))}</em> {escape(repr(form[key]))}",
        )
        for key in sorted(form.keys(), key=str)
    )


def print_directory() -> None:
    """Print the current directory."""
    _heading("Current Working Directory:")
    try:
        print(f"<p>{escape(os.getcwd())}</p>\n")
    except OSError as error:
        print(f"<p>OSError: {escape(error.strerror or '')}</p>\n")


def print_arguments() -> None:
    """Print the arguments of the command line."""
    _heading("Command Line Arguments:")
    print(f"<p>{escape(repr(sys.argv))}</p>\n")


def print_environ_usage() -> None:
    """Print the names of variables that a web server may set (RFC 3875 section 4.1)."""
    _heading("These environment variables could have been set:")
    print("<ul>", *[f"<li>{name}</li>" for name in _VARIABLES], "</ul>", sep="\n")
    print("<p>Every header field of the request is one, too, such as:</p>")
    print("<ul>", *[f"<li>{name}</li>" for name in _FIELDS], "</ul>\n", sep="\n")


def test(environ: "Any", storage: "Any") -> None:
    """Print a whole page about a request, whose form is read with `storage`."""
    print("Content-Type: text/html; charset=utf-8\n")
    try:
        form = storage()
        print_directory()
        print_arguments()
        print_form(form)
        print_environ(environ)
        print_environ_usage()
    except Exception:
        print_exception()


def _heading(text: str) -> None:
    print(f"\n<h3>{text}</h3>")


def _definitions(pairs: "Iterable[tuple[str, str]]") -> None:
    print("<dl>")
    for name, markup in pairs:
        print(f"<dt>{escape(name)}</dt><dd>{markup}</dd>")
    print("</dl>\n")
