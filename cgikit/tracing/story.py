"""From times to steps: which step ended when the next one began. Pure.

The steps of depth 0 follow each other without a gap, so their sum is the whole. What an interpreter
told from inside lies within them.
"""

from typing import Protocol

from .step import Step

_HELD = 5_000_000  # nanoseconds; less is how long it takes to notice both ends


class Times(Protocol):
    """What was seen from outside: nanoseconds of one clock, 0 for what was not seen."""

    begin: int
    child: int
    executed: int
    first: int
    header: int
    last: int
    ended: int
    released: int
    reaped: int


def steps(times: Times, told: bytes) -> list[Step]:
    """Return the steps of a request (list of `Step`), in the order in which they began."""
    said = _said(told)
    begin = times.begin

    def micro(moment: int) -> float:
        return (moment - begin) / 1_000

    ready = _moment(said, "begin")
    main = _moment(said, "main")
    last = times.last or times.ended
    found: list[Step] = []
    marks: list[tuple[str, int, str]] = [
        ("fork", times.begin, ""),
        ("exec", times.child, ""),
    ]
    if ready:
        site = _moment(said, "site")
        marks.append(("interpreter", times.executed, "until its first line of Python, in site"))
        if site:
            marks.append(("site", ready, "the rest of it: sitecustomize and usercustomize"))
        marks.append(("compile", site or ready, "the script is read and compiled"))
        if main:
            marks.append(("script", main, ""))
    else:
        marks.append(("program", times.executed, "interpreter and script: it does not tell"))
    if times.first:
        found.append(Step("first byte", micro(times.first), 0.0))
    if times.header > times.first > 0:
        found.append(Step("header end", micro(times.header), 0.0))
    marks.append(("exit", last, "what comes after its last output"))
    if times.released - times.ended > _HELD:
        marks.append(("held open", times.ended, "a process that it left has its output open"))
        marks.append(("reaped", times.released, ""))
    else:
        marks.append(("reaped", times.ended, ""))
    for (name, start, note), follower in zip(
        marks, [*(mark[1] for mark in marks[1:]), times.reaped], strict=True
    ):
        end = max(start, follower)
        found.append(Step(name, micro(start), micro(end) - micro(start), 0, note))
    found += _imports(said, begin)
    return sorted(found, key=lambda step: (step.start, step.depth))


def with_site(found: list[Step], duration: float) -> list[Step]:
    """Return the steps with `site` as long as it took in a run of the interpreter alone (float,
    microseconds), and `interpreter` as what is left of the time until it ended; unchanged if that
    cannot be.
    """
    names = [step.name for step in found]
    if "interpreter" not in names or "site" not in names:
        return found
    before, site = found[names.index("interpreter")], found[names.index("site")]
    begin = site.end - duration
    if not before.start < begin < site.start:  # it took less than what was seen of it, or too long
        return found
    changed = {
        id(before): Step(
            before.name,
            before.start,
            begin - before.start,
            0,
            "what is left of the time until site",
        ),
        id(site): Step(
            site.name, begin, duration, 0, "its length is that of a run alone, by -X importtime"
        ),
    }
    return [changed.get(id(step), step) for step in found]


def site_time(said: str) -> float | None:
    """Return how long the import of site took (float, microseconds), by what -X importtime said; None
    if it said nothing of it.
    """
    for line in said.splitlines():
        words = [word.strip() for word in line.split("|")]
        if line.startswith("import time:") and words[-1] == "site" and len(words) == 3:
            return float(_number(words[1])) or None
    return None


def interpreter(told: bytes) -> str:
    """Return the file of the interpreter (str), "" if it did not tell."""
    found = (words[2] for words in _said(told) if words[0] == "begin" and len(words) == 3)
    return next(found, "")


def _said(told: bytes) -> list[list[str]]:
    lines = told.decode("utf-8", "replace").split("\n")
    return [line.split("\t") for line in lines[:-1]]  # the last may be cut


def _moment(said: list[list[str]], what: str) -> int:
    return next((_number(words[1]) for words in said if words[0] == what and len(words) > 1), 0)


def _number(word: str) -> int:
    return int(word) if word.isdecimal() and len(word) < 20 else 0


def _imports(said: list[list[str]], begin: int) -> list[Step]:
    """Return the imports, each within the one that asked for it. One that did not end is left out."""
    found: list[Step] = []
    threads: dict[str, list[tuple[str, int, str]]] = {}  # what each is importing
    for words in said:
        if words[0] == "import" and len(words) == 5:
            open_ = threads.setdefault(words[2], [])
            open_.append((words[3], _number(words[1]), words[4]))
        elif words[0] == "imported" and len(words) == 3 and threads.get(words[2]):
            open_ = threads[words[2]]
            name, start, place = open_.pop()
            start_us, end = (start - begin) / 1_000, (_number(words[1]) - begin) / 1_000
            found.append(Step(f"import {name}", start_us, end - start_us, 1 + len(open_), place))
    return found
