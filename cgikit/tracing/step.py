"""A step of a request, and all the steps of one. Values only; text, HTML and JSON are printed from
them.
"""

from .dialogue import Dialogue


class Step:
    """What happened from `.start` on for `.duration` (float, microseconds; the request begins at 0).

    `.name` is fork, exec, interpreter, site, compile, script, program, `import NAME`, first byte,
    header end, exit, held open, or reaped (str). `.depth` is 0 for the steps that follow each other
    from the beginning to the end, and more for what is within one (int). `.note` says more, as who
    asked for an import (str).
    """

    __slots__ = ("depth", "duration", "name", "note", "start")

    def __init__(
        self, name: str, start: float, duration: float, depth: int = 0, note: str = ""
    ) -> None:
        self.name = name
        self.start = start
        self.duration = duration
        self.depth = depth
        self.note = note

    @property
    def end(self) -> float:
        """When it ended (float, microseconds)."""
        return self.start + self.duration

    def __repr__(self) -> str:
        return f"<Step {self.name} {self.start:.0f}+{self.duration:.0f} depth {self.depth}>"


class Trace:
    """One request: its `.steps` in the order in which they began (list of `Step`), the `.script`
    (str), its exit `.status` (int; negative: the number of a signal), the `.size` of its output (int,
    bytes), and its standard `.errors` (list of str). `.is_inside` tells whether the
    interpreter told about itself (bool), and `.interpreter` is its file (str; "" if it did not).
    `.dialogue` is what went in and out (`Dialogue` or None).
    """

    def __init__(self, script: str, steps: list[Step]) -> None:
        self.script = script
        self.steps = steps
        self.status = 0
        self.size = 0
        self.errors: list[str] = []
        self.is_inside = False
        self.interpreter = ""
        self.dialogue: Dialogue | None = None

    @property
    def total(self) -> float:
        """From the beginning to the end (float, microseconds)."""
        return max((step.end for step in self.steps), default=0.0)

    @property
    def imports(self) -> list[Step]:
        """The steps that are imports (list of `Step`)."""
        return [step for step in self.steps if step.name.startswith("import ")]

    def own_time(self, step: Step) -> float:
        """Return the duration of a step without the steps within it (float, microseconds)."""
        within = 0.0
        at = self.steps.index(step)
        for other in self.steps[at + 1 :]:
            if other.depth <= step.depth:
                break
            if other.depth == step.depth + 1:
                within += other.duration
        return step.duration - within
