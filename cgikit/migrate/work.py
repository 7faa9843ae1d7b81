"""The work on one file: what the rules share, and what they return."""

from collections.abc import Callable
from typing import NamedTuple

from .bindings import Group, Use
from .code import Code
from .edits import Edit
from .hiding import Hiding


class Note(NamedTuple):
    """A line of the report: a place that was not changed, and why. `rule` is the rule that found it."""

    line: int
    rule: str
    text: str


class Need(NamedTuple):
    """An import: `import origin`, or `from origin import name [as alias]`."""

    origin: str
    name: str = ""
    alias: str = ""

    @property
    def binds(self) -> str:
        """The name that it binds."""
        return self.alias or self.name or self.origin.partition(".")[0]

    @property
    def part(self) -> str:
        """What stands behind `from origin import`."""
        return f"{self.name} as {self.alias}" if self.alias else self.name


class Rewritten(NamedTuple):
    """The result of a rule for one use: the changes, and the import that they need (None: none)."""

    need: Need | None
    edits: list[Edit]


class Work:
    """The options for one file, and what was done so far."""

    def __init__(
        self, code: Code, groups: list[Group], unsafe: bool, exported: Callable[[str], bool]
    ) -> None:
        self.code = code
        self.groups = groups
        self.unsafe = unsafe
        self.exported = exported  # whether another file may use a module's variable
        self.edits: list[Edit] = []
        self.notes: list[Note] = []
        self.hiding: Hiding | None = None  # once it is asked for
        self._noted: set[Note] = set()
        self.given: set[str] = set()  # new names

    def note(self, line: int, rule: str, text: str) -> None:
        """Add a line to the report, once."""
        note = Note(line, rule, text)
        if note not in self._noted:
            self._noted.add(note)
            self.notes.append(note)

    def uses(self, module: str, member: str) -> list[Use]:
        """Return all uses of `module.member`."""
        return [
            use
            for group in self.groups
            for use in group.uses
            if group.module == module and use.member == member
        ]
