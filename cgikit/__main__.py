"""`python -m cgikit` is the command `cgikit`.

`python -m cgikit run SCRIPT` does not load the other commands: a request waits for it.
"""

import sys


def main() -> int:
    """Run the command line of this process; return the exit status (int)."""
    words = sys.argv[1:]
    if len(words) > 1 and words[0] == "run" and not words[1].startswith("-"):
        from .runner import run_script

        return run_script(words[1], words[2:])
    from .cli import main

    return main()


if __name__ == "__main__":
    raise SystemExit(main())
