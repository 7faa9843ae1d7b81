"""What is wrong with the first line of a script, `#!` and an interpreter (execve(2), env(1)).

The line is read and its interpreter looked for; nothing is run.
"""

import os
import shlex

from ..regularfile import open_regular
from .finding import Finding

MAX_LINE = 256  # bytes: all that the kernel reads of a file to find the interpreter (execve(2))
_CORRECT = (
    "Correct the first line of the script, for example to #!/usr/bin/env python3, "
    "or install the program."
)


def first_line(file: str) -> bytes | None:
    """Return the first line without its LF (at most 256 bytes, which is all the kernel reads).

    None when the file cannot be read.
    """
    try:
        with open(open_regular(file, follow=True, patience=0), "rb") as script:
            return script.read(MAX_LINE).partition(b"\n")[0]
    except OSError:
        return None


def shell_word(path: str) -> str:
    """Return a path as one word of a shell command, which is no option either (str)."""
    return shlex.quote(f"./{path}" if path.startswith("-") else path)


def typed(path: str) -> str:
    """Return a path as one word of a shell command that is typed where this process was started (str):
    relative, if it is below that directory.
    """
    try:
        current = os.getcwd()
    except OSError:  # it was removed
        current = "/"
    absolute = os.path.abspath(path) if not os.path.isabs(path) else path
    below = current != "/" and absolute.startswith(current + "/")
    return shell_word(absolute.removeprefix(current + "/") if below else absolute)


def check_first_line(file: str, path: str) -> Finding | None:
    """Return what is wrong with the `#!` line of a script (`Finding`), or None when nothing is.

    `path` is the PATH that the script gets: `#!/usr/bin/env` looks there.
    """
    name, line = os.path.basename(file), first_line(file)
    if line is None:
        is_link = os.path.islink(file)  # chmod would follow it
        return _finding(
            file,
            "not-readable",
            f"The server's user has no permission to read {name}.",
            f"See what the link {name} leads to." if is_link else f"chmod a+r {typed(file)}",
            command="" if is_link else f"chmod a+r {shell_word(file)}",
        )
    if line.startswith(b"\xef\xbb\xbf#!"):
        return _finding(
            file,
            "byte-order-mark",
            f"{name} begins with a byte order mark; a script must begin with #!.",
            "Save it as UTF-8 without a BOM.",
        )
    if line.startswith(b"\x7fELF"):
        return None
    shown = os.fsdecode(line)
    if not line.startswith(b"#!"):
        return _finding(
            file,
            "no-interpreter-line",
            f"{name} has no #! line, so the system cannot tell which program runs it.",
            "Make its first line, for example, #!/usr/bin/env python3",
            evidence=f"line 1: {shown}" if shown.isprintable() else "",
        )
    if line.endswith(b"\r"):
        program = shown[2:].split()[-1] if shown[2:].split() else ""
        return _finding(
            file,
            "windows-line-ends",
            f"{name} has Windows line ends: the system looks for the program {program + chr(13)!r}.",
            f"sed -i 's/\\r$//' {typed(file)}",
            command=f"sed -i 's/\\r$//' {shell_word(file)}",
        )
    if len(line) == MAX_LINE:
        return _finding(
            file,
            "interpreter-line-too-long",
            f"The first line of {name} is too long: the system reads {MAX_LINE} bytes of it.",
            "Name the interpreter by a shorter path, as a symbolic link.",
        )
    return _check_program(file, shown[2:].split(), path)


def _check_program(file: str, words: list[str], path: str) -> Finding | None:
    name = os.path.basename(file)
    if not words:
        return _finding(
            file,
            "no-interpreter",
            f"The #! line of {name} names no interpreter.",
            "Write #!/usr/bin/env python3",
        )
    program, line = words[0], "#!" + " ".join(words)
    if not os.path.exists(program):
        what = f"The interpreter {line} does not exist."
        return _finding(file, "interpreter-missing", what, _CORRECT)
    if not os.access(program, os.X_OK) or os.path.isdir(program):
        what = f"The interpreter {line} cannot be executed."
        return _finding(file, "interpreter-not-executable", what, _CORRECT)
    if os.path.basename(program) == "env":
        wanted = next(
            (word for word in words[1:] if not word.startswith("-") and "=" not in word), ""
        )
        import shutil  # here, since workers load this module

        if wanted and shutil.which(wanted, path=path) is None:
            return _finding(
                file,
                "interpreter-not-on-path",
                f"{line}: the program {wanted!r} is not on the PATH.",
                _CORRECT,
                evidence=f"PATH={path}",
            )
        if len(words) > 2 and not words[1].startswith("-"):
            return _finding(
                file,
                "env-with-options",
                f"{line}: the system passes everything after env as one argument.",
                f"Write #!{program} -S {' '.join(words[1:])}",
            )
    return None


def _finding(
    file: str, kind: str, what: str, fix: str, *, evidence: str = "", command: str = ""
) -> Finding:
    return Finding(
        kind, what, evidence=evidence, fix=fix, rule="execve(2)", file=file, line=1, command=command
    )
