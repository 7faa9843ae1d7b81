"""What each step of a trace is, in a sentence, for those who see one for the first time. Pure."""

from collections.abc import Sequence

from .folding import is_import
from .step import Trace
from .way import Way, measured

#: In the order of a request. docs/reference/trace.md says how each number is taken.
_STEPS = {
    "fork": "The server's process is copied, to become the script's process.",
    "exec": "The copy is replaced by the program that the first line of the script names.",
    "interpreter": "Python starts: memory, its built-in modules, where it finds the others.",
    "site": "Python prepares the search path of installed modules (site-packages).",
    "compile": "The script's file is read and compiled, each time: only modules are kept compiled.",
    "script": "The script runs, from its first line to its last output.",
    "program": "The program runs. It does not tell about itself, so there is one step for all of it.",
    "import": "A module is loaded, with those that it imports itself, which stand below it.",
    "first byte": "The first output of the script: what a visitor waits for.",
    "header end": "The blank line after the header: what comes next is the page.",
    "exit": "The process ends after its last output: files are closed, memory is freed.",
    "held open": "The script has ended, but a process that it left behind has its output open.",
    "reaped": "The server learns how the process ended, and the kernel forgets it.",
}
_WAYS = {
    "warm": "The same script, in a copy of a process that has started Python already.",
    "persistent": "The same script in a process that answers one request after another.",
}


def legend(trace: Trace, ways: Sequence[Way] = ()) -> list[tuple[str, str]]:
    """Return names and what they are (list of pairs of str): the kinds of steps that the trace has, and
    the ways that were measured beside it.
    """
    present = {"import" if is_import(step) else step.name for step in trace.steps}
    present |= {way.name for way in measured(ways)}
    return [(name, what) for name, what in (_STEPS | _WAYS).items() if name in present]
