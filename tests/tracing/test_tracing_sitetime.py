"""How long `site` takes, by an interpreter that says it, and by programs that do not."""

import os
import sys
from pathlib import Path

from cgikit.tracing.sitetime import measure_site

ENVIRONMENT = {"PATH": os.environ["PATH"]}


def test_an_interpreter_says_it() -> None:
    found = measure_site(sys.executable, ENVIRONMENT)
    assert found is not None
    assert found > 0


def test_other_programs_say_nothing(tmp_path: Path) -> None:
    assert measure_site("/bin/true", ENVIRONMENT) is None
    assert measure_site(str(tmp_path / "none"), ENVIRONMENT) is None
    assert measure_site("/bin/\0", ENVIRONMENT) is None
