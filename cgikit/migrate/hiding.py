"""Where the use of a name can be hidden from a reader of the variables.

In a string that mentions it, in an attribute of that name on what may be this module, behind `eval`
and similar functions, or where the program looks itself up. Rule `unused` asks this module before
it removes an import.
"""

import re
import sys

import libcst as cst
from libcst.metadata import ImportAssignment

from .bindings import MODULES
from .code import REFLECTION, Code
from .contexts import text_of

_WORD = re.compile(r"(?<![\w/.@-])\w+(?![\w/-])")
_TYPE = re.compile(r"#\s*type:")
#: By these a program reaches its own variables unseen, where they are attributes or texts.
_REACHING = REFLECTION | {"__dict__", "__globals__", "f_globals", "f_locals"}
#: Modules whose attributes are not the program's own: `re.escape`.
_ELSEWHERE = (sys.stdlib_module_names | {*MODULES, "cgikit"}) - {"sys", "__main__"}
_BY_NAME = re.compile(r"(?:import_module|__import__|reload|\bget|\bgetattr|run_module)$")
_DEEP = 8  # parts of a dotted name that is a module's


class Hiding:
    """The names that a program may use unseen, looked up once for each program.

    `words` are those in its texts and attributes, `comments` those in its comments; `reflects`
    tells whether it may reach any.
    """

    def __init__(self, code: Code) -> None:
        texts = [code.source(node) for node in code.each(cst.SimpleString)]
        texts += [node.value for node in code.each(cst.FormattedStringText)]
        texts += [comment for comment in code.comments() if _TYPE.match(comment)]
        attributes = {
            node.attr.value for node in code.each(cst.Attribute) if not _is_elsewhere(code, node)
        }
        dotted = {node.attr.value for node in code.each(cst.Attribute)}
        quoted = {text_of(node) for node in code.each(cst.SimpleString)}
        self.words = attributes.union(*map(_WORD.findall, texts))
        self.comments = set[str]().union(*map(_WORD.findall, code.comments()))
        self.reflects = (
            code.reflects
            or not _REACHING.isdisjoint(dotted | quoted)
            or any(_is_itself(code, node) for node in code.nodes)
        )


def _is_elsewhere(code: Code, node: cst.Attribute) -> bool:
    """Whether an attribute is that of another module, or part of the name of one."""
    root: cst.CSTNode = node.value
    for _ in range(_DEEP):
        if isinstance(root, cst.Attribute):
            root = root.value
    if not isinstance(root, cst.Name):
        return False
    outer = code.parent(node)
    while isinstance(outer, cst.Attribute):
        outer = code.parent(outer)
    if isinstance(outer, cst.ImportAlias | cst.ImportFrom):
        return True
    bound = code.assignments(root.value)
    return (
        root.value in _ELSEWHERE
        and bool(bound)
        and all(isinstance(one, ImportAssignment) for one in bound)
    )


def _is_itself(code: Code, node: cst.CSTNode) -> bool:
    """Whether a program looks for its own module: `sys.modules[__name__]`, `import __main__`."""
    if isinstance(node, cst.Name):
        outer = code.parent(node)
        if node.value == "__main__":
            return True
        if node.value != "__name__":
            return False
        if isinstance(outer, cst.Arg):
            call = code.parent(outer)
            return (
                isinstance(call, cst.Call) and _BY_NAME.search(code.source(call.func)) is not None
            )
        return isinstance(outer, cst.Index)
    if isinstance(node, cst.SimpleString) and text_of(node) == "__main__":
        return not isinstance(code.parent(node), cst.Comparison | cst.ComparisonTarget)
    return False
