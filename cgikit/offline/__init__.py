"""Requests from the command line, to try a script without a server.

Builds the meta-variables of RFC 3875 and the body from the arguments, as the offline mode of CGI.pm and
the commands of CGI::Tiny do. `words` reads fields and keywords, `command` a method with its path and
options, `typed` standard input; `usage` explains all of it. Not used if a server has set
REQUEST_METHOD or GATEWAY_INTERFACE.
"""

from .. import process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO, NoReturn


def request(arguments: list[str]) -> "tuple[dict[str, str], BinaryIO]":
    """Return the environment and the body of the request that `arguments` (argv) describe.

    A word is a method only if a path follows; otherwise the words are fields or keywords of a GET. For
    `--help` alone, and for invalid arguments, this prints the help or the error, and ends
    the process (`SystemExit`, status 0 or 2).
    """
    from . import command, usage, words

    script, *given = arguments or [""]
    if given == ["--help"]:
        raise usage.explain(script)
    typing = given[:1] == ["--debug"]
    if typing:
        given = given[1:]
    try:
        if command.is_one(given):
            return command.request(script, given, typing)
        if command.lacks_path(given):
            usage.hint(script, given[0])
        return words.request(script, given, typing)
    except usage.Misuse as error:
        raise usage.refuse(script, error) from None


def refused(request: object) -> "NoReturn":
    """Refuse, as the handler, a request of a web server that has set no method (`StateError`).

    Visitors may choose the words of such a command line (RFC 3875 section 4.4), and so the files that
    it names.
    """
    found = process.environ().get("GATEWAY_INTERFACE", "")
    raise process.misuse(
        f"GATEWAY_INTERFACE={found!r} is set, as by a web server, but REQUEST_METHOD is not, so the "
        "command line is not read; let the server set REQUEST_METHOD, or unset GATEWAY_INTERFACE to "
        "start the script by hand"
    )
