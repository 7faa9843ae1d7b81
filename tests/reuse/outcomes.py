"""What becomes of the scripts of the corpus, in numbers: the table in docs/reference/warm.md.

`make reuse-outcomes` prints it; `--each` prints a line for each script, with what the log said.
"""

import sys
import tempfile
from collections import Counter
from pathlib import Path

from reuse.cases import ALONE, BENIGN, HARMLESS, LEAKY, TOGETHER, Case
from reuse.served import Outcome, alone, modules, served
from serving import until

KINDS = {
    "containers": "in-place changes of old dicts, lists, sets and other containers",
    "attributes": "attributes of old classes, instances and modules",
    "closures": "closures, defaults, caches, functions replaced",
    "c_state": "state that C or the interpreter keeps",
    "outside": "the process: files, signals, timers, threads, children, limits",
    BENIGN: "nothing but caches that nobody can see",
}
Outcomes = list[tuple[Case, Outcome]]


def outcomes(root: Path) -> Outcomes:
    """Serve each script of the corpus to two visitors."""
    found: Outcomes = []
    with served(root / "loaded", TOGETHER, modules()) as there:
        found += [(case, there.outcome(case)) for case in TOGETHER]
    for case in ALONE:
        with alone(root / case.name, case) as there:
            found.append((case, there.outcome(case)))
    with served(root / "usual", HARMLESS, []) as there:
        for case in HARMLESS:
            seen: list[Outcome] = []

            def is_kept(case: Case = case, seen: list[Outcome] = seen) -> bool:
                seen.append(there.outcome(case))  # modules are still to be learnt
                return seen[-1].word == "used again"

            until(is_kept)
            found.append((case, seen[-1]))
    return found


def table(found: Outcomes) -> str:
    """The numbers, in Markdown."""
    lines = [
        "| what a script leaves behind | scripts | used again | ended | leaked |",
        "|---|---|---|---|---|",
    ]
    for kind in (*LEAKY, BENIGN):
        those = [(case, outcome) for case, outcome in found if case.kind == kind]
        words = Counter(outcome.word for _, outcome in those)
        leaks = sum(bool(case.never) and case.never in outcome.after for case, outcome in those)
        lines.append(
            f"| {KINDS[kind]} | {len(those)} | {words['used again']} | {words['ended']} | {leaks} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Print the table, or a line for each script."""
    with tempfile.TemporaryDirectory() as place:
        found = outcomes(Path(place))
    if "--each" in sys.argv[1:]:
        for case, outcome in found:
            print(f"{case.name}: {outcome.word} {outcome.reason}".rstrip())
    print(table(found))


if __name__ == "__main__":
    main()
