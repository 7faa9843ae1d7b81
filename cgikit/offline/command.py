"""A method with its path and options as a request: `post /form -C name=value -F file=@path`.

The options are those of curl and of CGI::Tiny where these have them. `usage` lists them.
"""

import getopt
import io

from .. import process
from ..formbody import URLENCODED, multipart, urlencoded
from ..headers import is_token
from . import typed
from .usage import Misuse, explain
from .words import fields, variables, with_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

_METHODS = frozenset(("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"))
_IN_QUERY = frozenset(("DELETE", "GET", "HEAD", "OPTIONS"))  # where fields are part of the URL
_SHORT = "H:C:b:F:vh"
_LONG = ("header=", "cookie=", "body=", "form=", "verbose", "debug", "help")
_LETTERS = {
    "--header": "-H", "--cookie": "-C", "--body": "-b", "--form": "-F", "--verbose": "-v",
    "--help": "-h",
}  # fmt: skip
_CONTROLS = frozenset("\r\n\0")
_OWN = {"CONTENT-LENGTH": "CONTENT_LENGTH", "CONTENT-TYPE": "CONTENT_TYPE"}


def is_one(words: list[str]) -> bool:
    """Return whether words are a method and a path, perhaps with options between them."""
    if len(words) < 2:
        return False
    method, second, *others = words
    other = len(method) > 2 and method.isascii() and method.isalpha() and method.isupper()
    if not other and method.upper() not in _METHODS:
        return False
    if second.startswith("-"):
        return any(word.startswith("/") for word in others)
    return second.startswith("/")


def lacks_path(words: list[str]) -> bool:
    """Return whether words begin with a usual method, and are not one, because no path follows."""
    return bool(words) and words[0].upper() in _METHODS and not is_one(words)


def request(
    script: str, words: list[str], typing: bool = False
) -> "tuple[dict[str, str], BinaryIO]":
    """Return the environment and the body of the request. With `typing`, or `--debug` among the words,
    there are more fields on standard input. Raises `Misuse`.
    """
    options, operands = _options(words[1:])
    if "-h" in options:
        raise explain(script)
    if not operands or not operands[0].startswith("/"):
        found = f"{operands[0]!r} is not a path" if operands else "the path is missing"
        raise Misuse(f"{found}; write {words[0]} /PATH first, then fields")
    method = words[0].upper()
    path, _, query = operands[0].partition("?")
    more = operands[1:]
    if typing or "--debug" in options:
        if options.get("-b") == ["@-"]:
            raise Misuse("--debug and -b @- both read standard input; give one of them")
        more = more + typed.lines()
    if method in _IN_QUERY:
        query, more = with_words(query, more), []
    body, kind = _body(method, options, more)
    made = variables(script, method, path, query)
    made["CONTENT_TYPE"] = kind
    made["CONTENT_LENGTH"] = str(len(body)) if body else ""
    made.update(_headers(options))
    if "-v" in options:
        process.write_log(
            "".join(f"{name}={made[name]!r}\n" for name in sorted(made) if made[name])
        )
    return {**process.environ(), **made}, io.BytesIO(body)


def _options(words: list[str]) -> tuple[dict[str, list[str]], list[str]]:
    """Return the options, each by its letter with all its values, and the other words."""
    after: list[str] = []
    if "--" in words:
        end = words.index("--")
        words, after = words[:end], words[end + 1 :]
    found: dict[str, list[str]] = {}
    operands = []
    # `getopt.gnu_getopt` would stop at the path if POSIXLY_CORRECT is set.
    while words:
        try:
            options, words = getopt.getopt(words, _SHORT, list(_LONG))
        except getopt.GetoptError as error:
            advice = "a field that begins with - comes after --"
            if "requires" in error.msg:
                advice = "write it after the option"
            what = error.msg.replace("requires argument", "requires an argument")
            raise Misuse(f"{what}; {advice}") from None
        for name, value in options:
            found.setdefault(_LETTERS.get(name, name), []).append(value)
        operands += words[:1]
        words = words[1:]
    return found, operands + after


def _body(method: str, options: dict[str, list[str]], words: list[str]) -> tuple[bytes, str]:
    """Return the body and its type, "" if it has none. `words` are fields of it."""
    bodies, form = options.get("-b", []), options.get("-F", [])
    if len(bodies) > 1 or (bodies and form):
        second = "-F" if form else "-b"
        raise Misuse(f"-b {bodies[0]!r} and another {second} are two bodies; give one of them")
    if bodies:
        if words:
            raise Misuse(
                f"-b is the whole body, so it cannot have the field {words[0]!r}; put that into the "
                "body, or after the path as ?NAME=VALUE"
            )
        return _content(bodies[0]), URLENCODED
    if form:
        if method in {"GET", "HEAD"}:
            raise Misuse(f"-F {form[0]!r}: {method} sends no form; use post")
        return _multipart(form, words)
    return (urlencoded(fields(words)), URLENCODED) if words else (b"", "")


def _content(text: str) -> bytes:
    if text == "@-":
        return typed.whole()
    if text.startswith("@"):
        return typed.of_file(text[1:])
    return text.encode("utf-8", "surrogateescape")


def _multipart(form: list[str], words: list[str]) -> tuple[bytes, str]:
    texts, files = fields(words), []
    for field in form:
        name, equals, value = field.partition("=")
        if not equals:
            raise Misuse(f"-F {field!r} has no value; write NAME=VALUE, or NAME=@FILE for a file")
        if value.startswith("@"):
            path = value[1:]
            files.append((name, (path.rpartition("/")[2], typed.of_file(path))))
        else:
            texts.append((name, value))
    return multipart(texts, files)


def _headers(options: dict[str, list[str]]) -> dict[str, str]:
    """Return the meta-variables of the header fields; repeated fields are joined, as servers do."""
    found: dict[str, str] = {}
    for field in options.get("-H", []):
        name, colon, value = field.partition(":")
        # Servers drop names with an underscore: X_Real_Ip would pass for X-Real-Ip.
        if not colon or not is_token(name) or "_" in name or _CONTROLS & set(value):
            raise Misuse(f"-H {field!r} is not a header field; write it as 'NAME: VALUE'")
        name = _OWN.get(name.upper()) or "HTTP_" + name.upper().replace("-", "_")
        _join(found, name, value.strip(" \t"))
    for cookie in options.get("-C", []):
        if "=" not in cookie or _CONTROLS & set(cookie):
            raise Misuse(f"-C {cookie!r} is not a cookie; write it as NAME=VALUE")
        _join(found, "HTTP_COOKIE", cookie)
    return found


def _join(found: dict[str, str], name: str, value: str) -> None:
    separator = "; " if name == "HTTP_COOKIE" else ", "
    found[name] = f"{found[name]}{separator}{value}" if name in found else value
