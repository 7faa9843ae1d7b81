"""What CPython says of each import with `-X importtime` (PYTHONPROFILEIMPORTTIME): a parser. Pure.

One line for each module, after what it has imported: its own microseconds, those with what it imported,
and its name, indented by its depth.
"""

import re
from collections.abc import Sequence

PREFIX = "import time:"
_LINE = re.compile(r"import time: +(\d{1,12}) \| +(\d{1,12}) \| ( *)([^ ].*)")
#: What every interpreter imports before a script, if it has no `site` (-S).
_START = {
    *("_abc", "_codecs", "_frozen_importlib_external", "_io", "_signal", "abc", "codecs", "io"),
    *("marshal", "posix", "time", "winreg", "zipimport", "encodings"),
}


def dearest(lines: Sequence[str], count: int = 5) -> list[tuple[str, float]]:
    """Return the imports of a script that took longest, with what they imported: (name, milliseconds).

    Those of the interpreter itself, until `site` is imported, do not count.
    """
    found: list[tuple[str, float]] = []
    for line in lines:
        match = _LINE.match(line)
        if not match or len(match[3]) > 1:
            continue  # another one imported it
        name = match[4].strip()
        if name == "site":
            found = []
        elif name.partition(".")[0] not in _START:
            found.append((name, int(match[2]) / 1_000))
    return sorted(found, key=lambda each: -each[1])[:count]
