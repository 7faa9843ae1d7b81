"""Rule `hidden` (only shown): `cgi` as a name in a string, which no rule can follow.

`__import__("cgi")`, `import_module`, `sys.modules["cgi"]`, a program in a string, a patch in a test.
Nothing is changed, because a string may mean anything; each place is reported.
"""

import re

import libcst as cst

from .contexts import text_of
from .work import Work

_RULE = "hidden"
_NAME = re.compile(r"cgi(?:tb)?(?:\.[A-Za-z_]\w*)*")
_PROGRAM = re.compile(
    r"^\s*(?:import\s+(?:[\w.]+\s*,\s*)*cgi(?:tb)?\b(?!\.)|from\s+cgi(?:tb)?\s+import\b)", re.M
)
_BY_NAME = re.compile(
    r"__import__|import_module|find_spec|find_loader|find_module|reload|patch|setattr|getattr|run_module"
    r"|modules\.(?:get|pop|setdefault)|importorskip"
)


def look(work: Work) -> None:
    """Report every text that names the modules where a program looks for one."""
    code = work.code
    for node in code.nodes:
        text = text_of(node) if isinstance(node, cst.SimpleString) else None
        if text is None:
            continue
        if _NAME.fullmatch(text) and _is_looked_up(work, node):
            say = f"names {text!r} in a string; it is cgikit.compat.{text} now"
            work.note(code.line(node), _RULE, say)
        elif _PROGRAM.search(text) and not isinstance(code.parent(node), cst.Expr):
            say = "holds a program that imports cgi or cgitb in a string; change it by hand"
            work.note(code.line(node), _RULE, say)


def _is_looked_up(work: Work, node: cst.CSTNode) -> bool:
    code = work.code
    for outer, _ in code.parents(node):
        if isinstance(outer, cst.Call):
            return _BY_NAME.search(code.source(outer.func)) is not None
        if isinstance(outer, cst.Subscript):
            return code.source(outer.value).endswith("modules")
        if isinstance(outer, cst.Comparison):
            return "modules" in code.source(outer)
        if isinstance(outer, cst.BaseSmallStatement | cst.BaseCompoundStatement):
            return False
    return False
