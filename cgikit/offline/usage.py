"""The help for scripts on the command line, and usage errors."""

import os
import sys

from .. import process

_HELP = """\
usage: {script} [NAME=VALUE | WORD]...
       {script} /PATH[?QUERY] [NAME=VALUE]...
       {script} METHOD /PATH[?QUERY] [OPTION | NAME=VALUE]...

Answer one request without a web server: print its header and its body.

  NAME=VALUE    a field, in plain text: of the query, or of the form with
                post, put and patch
  WORD          a keyword, if no word has a "="; the query is then WORD+WORD
  /PATH?QUERY   what follows the script's name in the URL, encoded as there
  METHOD        get, head, post, put, patch, delete or options; any other one
                in capitals
  --debug       read fields from standard input, one NAME=VALUE a line: as
                the first word, or as an option
  --help        print this help: as the only word, or as an option

options, with a METHOD:
  -H, --header 'NAME: VALUE'
                a header field of the request (may be repeated)
  -C, --cookie NAME=VALUE
                a cookie (may be repeated)
  -b, --body TEXT|@FILE|@-
                the body: a text, a file, or standard input; its type is
                {urlencoded} unless -H says otherwise
  -F, --form NAME=VALUE|NAME=@FILE
                a field or a file of a multipart form (may be repeated)
  -v, --verbose
                print the variables of the request on standard error
  --            everything after it is a field, even with a - in front

Variables of the environment, such as REMOTE_USER, are part of the request.
Without words QUERY_STRING is the query.

examples:
  {script} name=Ada
  {script} get '/list?page=2' -H 'Accept-Language: de' -C theme=dark
  {script} post /order tea=Assam note='two words'
  {script} post /upload -F file=@cat.jpg -F title=Cat -v
  {script} put /api/7 -H 'Content-Type: application/json' -b @order.json
"""


class Misuse(Exception):
    """The arguments do not describe a request. The message says what was found and what to do."""


def explain(script: str) -> SystemExit:
    """Print the help, and return the error that ends the process with status 0."""
    from ..formbody import URLENCODED

    process.write_log(_HELP.format(script=_shown(script), urlencoded=URLENCODED), sys.stdout)
    return SystemExit(0)


def hint(script: str, method: str) -> None:
    """Say on standard error that a word is not taken for a method, and how to write it."""
    shown = _shown(script)
    process.write_log(
        f"{shown}: {method!r} is taken for a word of a GET request, since no path follows it; for the "
        f"method write {shown} {method} / and then the rest\n"
    )


def refuse(script: str, error: Misuse) -> SystemExit:
    """Print what is wrong on standard error, and return the error that ends the process, status 2."""
    process.write_log(f"{_shown(script)}: {error}; see {_shown(script)} --help\n")
    return SystemExit(2)


def _shown(script: str) -> str:
    return os.fsencode(script).decode("utf-8", "backslashreplace")
