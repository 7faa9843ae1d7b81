"""What Python says of its imports: the dearest of the script's own."""

import subprocess
import sys

from cgikit.probing.importtime import PREFIX, dearest

START = [
    "import time: self [us] | cumulative | imported package",
    "import time:       100 |        100 |   encodings.aliases",
    "import time:       900 |       1000 | encodings",
    "import time:      9000 |       9999 | site",
]
SCRIPT = [
    "import time:       300 |        300 |   json.decoder",
    "import time:       700 |       1000 | json",
    "import time:      2500 |       2500 | decimal",
    "import time:         1 |          1 | a b",
]


def test_the_script_s_own_with_what_they_import() -> None:
    assert dearest([*START, *SCRIPT]) == [("decimal", 2.5), ("json", 1.0), ("a b", 0.001)]
    assert dearest([*START, *SCRIPT], 1) == [("decimal", 2.5)]


def test_without_site_the_interpreter_s_own_do_not_count() -> None:
    assert dearest([*START[:-1], *SCRIPT], 2) == [("decimal", 2.5), ("json", 1.0)]


def test_other_lines_are_passed_over() -> None:
    lines = ["", "import time:", "import time: x | y | z", f"import time: {'9' * 99} | 1 | big"]
    assert dearest(lines) == []


def test_it_is_what_python_prints() -> None:
    """Not all of them: some are imported at the start by one Python and not by another."""
    for options in ([], ["-S"]):
        command = [sys.executable, *options, "-X", "importtime", "-c", "import json, decimal"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        lines = done.stderr.splitlines()
        assert all(line.startswith(PREFIX) for line in lines)
        assert {"json", "decimal"} <= {name for name, _ in dearest(lines, 1_000)}
