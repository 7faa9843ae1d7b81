"""Scripts to begin with: each with a directory for its data and with tests that pass.

The sources are text files beside this module, with `@NAME@` and `@TITLE@` in them. `cgikit new` writes
them; nothing that is there is overwritten, and nothing is left half made.
"""

import os
import re
import shutil
import sys
import tempfile

#: The kinds, and what each is.
KINDS = {
    "page": "a page that takes a field from its URL",
    "form": "a form that is checked, and kept in a file",
    "upload": "an upload of pictures",
    "counter": "a page with a counter",
    "login": "a page for those who log in",
    "api": "a JSON endpoint",
}
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,59}", re.I)
_DENY = """\
# Nothing in here is for visitors. cgikit serve and most servers only serve cgi-bin; Apache reads this.
Require all denied
"""


def make(path: str, kind: str, interpreter: str) -> list[str]:
    """Make the directory `path` with a script of a kind; return the files (list of paths).

    The script, `cgi-bin/NAME.py`, is named as the directory; `interpreter` is the path in its first
    line. Raises `ValueError` for a name that cannot be that of a script, `FileExistsError` if there is
    something at `path`, and `OSError` if it cannot be written.
    """
    name = os.path.basename(os.path.normpath(path))
    _check(name)
    if os.path.lexists(path):
        raise FileExistsError(17, "it exists; nothing was changed", path)
    above = os.path.dirname(os.path.abspath(path))
    try:
        made = tempfile.mkdtemp(prefix=f".{name}-", dir=above)
    except OSError as error:  # it names a directory that the user has never heard of
        shown = os.path.dirname(os.path.normpath(path)) or "."
        raise OSError(error.errno, error.strerror, shown) from None
    try:
        files = _fill(made, name, kind, interpreter)
        os.chmod(made, 0o755)  # noqa: S103 -- what a server has to reach
        os.rename(made, path)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise
    return [os.path.join(path, file) for file in files]


def _check(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} is not a valid name; begin with a letter, then letters, digits, - and _"
        )
    if name in sys.stdlib_module_names or name in {"cgikit", "multipart", "dateutil"}:
        raise ValueError(
            f"{name!r} is the name of a module: scripts beside {name}.py that import it would get "
            "this script; take another name"
        )


def _fill(place: str, name: str, kind: str, interpreter: str) -> list[str]:
    """Write the files of a kind; return their paths below `place`."""
    script = os.path.join("cgi-bin", f"{name}.py")
    test = f"test_{name.replace('-', '_')}.py"
    deny = os.path.join("data", ".htaccess")
    os.mkdir(os.path.join(place, "cgi-bin"), 0o755)
    os.mkdir(os.path.join(place, "data"), 0o700)
    os.chmod(os.path.join(place, "cgi-bin"), 0o755)  # noqa: S103 -- whatever the umask
    source = f"#!{interpreter}\n{_text(kind, name)}"
    for file, text, mode in (
        (script, source, 0o755),
        (deny, _DENY, 0o644),
        (test, _text(f"{kind}.test", name), 0o644),
    ):
        whole = os.path.join(place, file)
        with open(whole, "x", encoding="utf-8") as stream:
            stream.write(text)
        os.chmod(whole, mode)  # whatever the umask
    return [script, test, deny]


def _text(which: str, name: str) -> str:
    """Return a source, with its name and title."""
    with open(os.path.join(os.path.dirname(__file__), f"{which}.txt"), encoding="utf-8") as file:
        text = file.read()
    title = re.sub(r"[-_]+", " ", name).strip().capitalize()
    return text.replace("@NAME@", name).replace("@TITLE@", title)
