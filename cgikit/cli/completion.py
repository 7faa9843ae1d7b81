"""`cgikit completion bash|zsh|fish`: completion of the command line by the Tab key.

This module joins the parser to argcomplete, which is an extra: the shell starts the command with
`_ARGCOMPLETE` in the environment, and the command answers what could follow.
"""

import argparse

from .commandline import Parser, complain

_MISSING = "argcomplete is not installed (the extra cgikit[completion]): pip install argcomplete"

#: By shell: where its code goes.
_PLACES = {
    "bash": "~/.local/share/bash-completion/completions/cgikit",
    "zsh": "~/.zfunc/_cgikit",
    "fish": "~/.config/fish/completions/cgikit.fish",
}

#: What has to be said beside that.
_NOTES = {
    "bash": [
        "The package bash-completion reads it there. Without it: source the file in ~/.bashrc."
    ],
    "zsh": [
        "In ~/.zshrc, before compinit:  fpath=(~/.zfunc $fpath); autoload -Uz compinit; compinit"
    ],
    "fish": [],
}


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add this command's parser to the sub-parsers of the command line."""
    parser = commands.add_parser(
        "completion",
        help="print what makes the Tab key complete commands and options",
        description="Print what makes the Tab key complete the commands and options of cgikit. Its "
        "first lines say where to put it.",
        epilog="Example: cgikit completion bash\nDocumentation: page reference/command-line",
    )
    parser.set_defaults(command=completion)
    parser.add_argument("shell", choices=tuple(_PLACES), help="the shell that you use")


def completion(arguments: argparse.Namespace) -> int:
    """Print the code for a shell; return the exit status (int): 1 without argcomplete."""
    try:
        from argcomplete.shell_integration import shellcode
    except ImportError:
        complain("completion", _MISSING)
        return 1
    shell = arguments.shell
    # zsh takes a file for a function that completes only if its first line says so
    first = ["#compdef cgikit"] if shell == "zsh" else []
    place = _PLACES[shell]
    folder = place.rpartition("/")[0]
    notes = [f"Put this into {place}:", f"  mkdir -p {folder}; cgikit completion {shell} >{place}"]
    lines = [*first, *(f"# {note}" for note in [*notes, *_NOTES[shell]])]
    code = shellcode(["cgikit"], shell="fish" if shell == "fish" else "bash")
    print("\n".join(lines))
    print("\n".join(line for line in code.splitlines() if not line.startswith("#compdef")))
    return 0


def complete(parser: Parser) -> None:
    """Answer the shell's question what could follow, and exit. Returns if nobody can answer it."""
    try:
        from argcomplete import autocomplete
    except ImportError:
        return
    autocomplete(parser)
