"""Run as a process: compares cases of one subject with CGI.pm, and prints how many faults there are
and which cgikit was compared: a copy of it with a mutant.
"""

import sys
from pathlib import Path

import cgikit

from .comparing import Comparison, cases
from .oracle import Oracle


def main(number: str, subject: str, directory: str) -> None:
    """Count the cases whose answers differ, or that fail."""
    found = 0
    with Oracle(Path(directory)) as oracle:
        comparison = Comparison(oracle)
        for one, case in cases(1, int(number), subject):
            try:
                comparison.compare(one, case)
            except Exception:  # whatever a mutant does is not what CGI.pm says
                found += 1
    print(found + len(comparison.faults), cgikit.__file__)


if __name__ == "__main__":
    main(*sys.argv[1:])
