"""The interpreter in the first line of a bundled script, with `-IS`.

Pure. `-I` keeps the environment and the user's own packages out, `-S` leaves out the search for
installed packages, which takes a quarter of the time of an empty script; a bundle needs none.
"""

DEFAULT = "/usr/bin/python3"
_OPTIONS = "IS"
_KNOWN = set("uBObdqvEsISP")  # of Python, without arguments: they can be joined
_KEPT = ("/usr/", "/opt/", "/bin/")  # where servers have interpreters, too
_LONGEST = 126  # bytes after "#!" that every Linux takes


def first_line(source: bytes, wanted: str = "") -> tuple[str, str]:
    """Return what follows `#!` in a script (str), and a note for the user, or "".

    `wanted` is an interpreter that was asked for: an absolute path, or `/usr/bin/env -S` and a name.
    Without one, that of the script is kept if a server may have it. Raises `ValueError` for an
    interpreter that cannot be in a first line.
    """
    program, options = _of(source)
    note = ""
    letters = options.removeprefix("-")
    if letters and not (options.startswith("-") and _KNOWN.issuperset(letters)):
        note, letters = f"the option {options!r} of its first line is left out", ""
    if wanted:
        program = wanted
    elif not program.startswith(_KEPT) or program.endswith("/env"):
        program = DEFAULT
    _check(program)
    flags = _OPTIONS + "".join(sorted(set(letters) - set(_OPTIONS)))
    line = f"{program} -{flags}"
    if len(line.encode()) > _LONGEST:
        raise ValueError(f"--interpreter: {program!r} is too long: at most {_LONGEST} bytes")
    return line, note


def is_python(source: bytes) -> bool:
    """Return whether the first line of a file names a Python."""
    line = source.removeprefix(b"\xef\xbb\xbf").partition(b"\n")[0]
    return line.startswith(b"#!") and b"python" in line


def _of(source: bytes) -> tuple[str, str]:
    """Return the program that a script's first line names, and its options."""
    line = source.removeprefix(b"\xef\xbb\xbf").splitlines()[:1]
    if not line or not line[0].startswith(b"#!"):
        return "", ""
    program, _, options = line[0][2:].decode("utf-8", "replace").strip().partition(" ")
    return program, "" if program.endswith("/env") else options.strip()


def _check(program: str) -> None:
    words = program.split(" ")
    if not (program.isascii() and program.isprintable() and program.startswith("/")):
        raise ValueError(
            f"--interpreter: {program!r} is not an absolute path of printable ASCII, as the first line "
            f"needs; give one, such as {DEFAULT}"
        )
    is_env = words[0].endswith("/env")
    if is_env and (len(words) != 3 or words[1] != "-S"):
        raise ValueError(
            f"--interpreter: {program!r} cannot pass on -{_OPTIONS}; give the path of the interpreter, "
            "or '/usr/bin/env -S python3' if the server's env knows -S"
        )
    if not is_env and len(words) > 1:
        raise ValueError(f"--interpreter: {program!r} has a space; give a path without options")
