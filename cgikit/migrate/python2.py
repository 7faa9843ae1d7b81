"""Detects Python 2 programs and names the tool to run first.

Nothing is converted here: `lib2to3`, which was part of Python until 3.12, does that. A file is treated
as Python 2 if Python 3 cannot parse it and the failing line looks like Python 2, or if its shebang, its
imports of removed modules or `print >>file` give it away.
"""

import ast
import re

from .source import NotMigrated

TOOL = "convert it first: python3.12 -m lib2to3 -w FILE (Python 3.13 has no lib2to3)"
_SHEBANG = re.compile(r"#!.*\bpython2")
#: Python 2 constructs that Python 3 cannot parse, and how to recognize them in a line.
_LINES = (
    (
        "a print statement",
        re.compile(r"^\s*print\b(?!\s*[(=.\[])|^\s*print\s*\(.*\)\s*%|;\s*print\b"),
    ),
    ("except X, name", re.compile(r"^\s*except\b[^:]*,\s*\w+\s*:")),
    ("raise X, text", re.compile(r"^\s*raise\s+[\w.]+\s*,")),
    ("an exec statement", re.compile(r"^\s*exec\s+[^(\s=]")),
    ("<>", re.compile(r"<>")),
    ("backticks", re.compile(r"`[^`]+`")),
    ("an octal number", re.compile(r"(?<![\w.])0[0-7]+(?![\w.])")),
    ("a ur'' string", re.compile(r"\bur['\"]", re.I)),
    ("a long number", re.compile(r"(?<![\w.])\d+L\b")),
)
_GONE = frozenset(
    "BaseHTTPServer CGIHTTPServer ConfigParser Cookie HTMLParser Queue SimpleHTTPServer SocketServer"
    " StringIO UserDict __builtin__ cPickle cStringIO commands cookielib exceptions htmlentitydefs"
    " httplib md5 rfc822 sets sha urllib2 urlparse anydbm dumbdbm whichdb xmlrpclib".split()
)


def check(text: str) -> None:
    """Raise `NotMigrated` for a Python 2 program, and for text that is not Python."""
    first = text.partition("\n")[0]
    if _SHEBANG.match(first):
        raise NotMigrated(f"Python 2 ({first.strip()[:60]!r}): {TOOL}", 1)
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 0
        raise NotMigrated(_unreadable(text, line, error), line) from error
    except (RecursionError, MemoryError):
        raise NotMigrated("an expression in it is nested too deeply") from None
    guarded = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.Try | ast.If)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        found = _old(node)
        if found and id(node) not in guarded:
            line = getattr(node, "lineno", 0)
            raise NotMigrated(f"Python 2 ({found}): {TOOL}", line)


def _unreadable(text: str, line: int, error: Exception) -> str:
    if isinstance(error, TabError):
        return f"Python 2 (tabs mixed with spaces): {TOOL}"
    lines = text.splitlines()
    # Python names the line, or one after it if a bracket was left open
    for found in lines[max(line - 1, 0) : line] or lines:
        for what, pattern in _LINES:
            if pattern.search(found):
                return f"Python 2 ({what}): {TOOL}"
    return f"it is not valid Python 3: {getattr(error, 'msg', error)}"


def _old(node: ast.AST) -> str:
    """Return the Python 2 construct in a node that Python 3 can still parse, or "" if there is none."""
    if isinstance(node, ast.Import):
        gone = [alias.name for alias in node.names if alias.name in _GONE]
        return f"import {gone[0]}" if gone else ""
    if isinstance(node, ast.ImportFrom) and not node.level and node.module in _GONE:
        return f"from {node.module} import"
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.RShift):
        return "print >>file" if isinstance(node.left, ast.Name) and node.left.id == "print" else ""
    return ""
