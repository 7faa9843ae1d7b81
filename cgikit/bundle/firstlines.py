"""The first lines of a script in a bundle: the interpreter, and the statement that extends `sys.path`.

Pure: the bytes of a script in, those of the same script out. All other lines keep their numbers, so
that tracebacks name the lines of the original. Only a script without a `#!` line, and one that begins
with a function or another block, directly below it, become one line longer.
"""

import ast
import io
import tokenize
from collections.abc import Collection, Iterator

FOLDER = "cgikit_bundle"  # has the library; in the directory that the bundle is
_BOM = b"\xef\xbb\xbf"
#: Names that `site` makes, which -S leaves out, and how a script gets them. They are builtins, so that
#: modules of the script have them too.
_BUILTINS = {
    "copyright": "site.setcopyright()",
    "credits": "site.setcopyright()",
    "exit": "builtins.exit = sys.exit",
    "help": "site.sethelper()",
    "license": "site.setcopyright()",
    "quit": "builtins.quit = sys.exit",
}


def prepared(
    source: bytes, interpreter: str, depth: int = 0, lacking: Collection[str] = ()
) -> bytes:
    """Return a script whose first line is `#!` and `interpreter` with its options, and which finds the
    library `depth` directories above its own. `lacking` are the names of `site` that its modules use.

    Raises `SyntaxError` for a source that this Python cannot parse.
    """
    source = source.removeprefix(_BOM)  # the system would not see `#!` behind it
    tree = ast.parse(source)
    lines = _with_interpreter(source.splitlines(keepends=True), interpreter.encode())
    if _own(tree)[1] is None:
        return b"".join(lines)
    encoding = tokenize.detect_encoding(io.BytesIO(b"".join(lines)).readline)[0]
    added = _statement(depth, {*lacks(tree), *lacking})
    text = b"".join(lines).decode(encoding)
    wanted = _dump(ast.parse(text))
    for candidate in _candidates(text, added):
        changed = _parsed(candidate)
        if changed is not None and _dump(_without(changed, added)) == wanted:
            return candidate.encode(encoding)
    rows = _rows(text)
    at = _first_line(_own(ast.parse(text))[1]) - 1
    return "".join([*rows[:at], f"{added}\n", *rows[at:]]).encode(encoding)


def _rows(text: str) -> list[str]:
    """Return the lines of a source with their ends. `str.splitlines` knows more ends than Python."""
    return list(io.StringIO(text, newline=""))


def _with_interpreter(lines: list[bytes], interpreter: bytes) -> list[bytes]:
    """Set the first line. It ends with LF alone: the system takes a CR for a part of the name."""
    first = lines[0] if lines else b""
    line = b"#!" + interpreter + b"\n"
    is_comment = first.startswith(b"#") or not first.strip()
    is_encoding = is_comment and b"coding" in first
    if first.startswith(b"#!") and not is_encoding:
        return [line, *lines[1:]]
    # An encoding is only seen in the first two lines.
    if is_comment and not is_encoding and len(lines) > 1 and b"coding" in lines[1]:
        return [line, *lines[1:]]
    if not first.strip() and lines:
        return [line, *lines[1:]]
    return [line, *lines]


def _statement(depth: int, lacking: Collection[str]) -> str:
    """Return the statement. `__file__` is an absolute path, wherever the process has gone.

    The directory of the script comes first, as it does without a bundle.
    """
    above = f'__file__.rsplit("/", {depth + 1})[0]'
    own = '__file__.rpartition("/")[0]'
    more = sorted({_BUILTINS[name] for name in lacking})
    modules = sorted({"sys", *(each.partition(".")[0] for each in more)})
    path = f'sys.path[:0] = [{own}, {above} + "/{FOLDER}"]'
    return "; ".join([f"import {', '.join(modules)}", path, *more])


def lacks(tree: ast.Module) -> set[str]:
    """Return the names that a source uses, does not bind, and that are not there without `site`."""
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    bound = {node.id for node in names if not isinstance(node.ctx, ast.Load)}
    bound |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    bound |= {
        (alias.asname or alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    bound |= {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    }
    return {node.id for node in names} & _BUILTINS.keys() - bound


def _candidates(text: str, added: str) -> Iterator[str]:
    """Yield the text with the statement in the places where it can be, the best first."""
    tree = ast.parse(text)
    last, first = _own(tree)
    rows = _rows(text)
    begin = (last.end_lineno or 1) if last is not None else 1
    for number in range(max(begin, 1) + 1, _first_line(first)):
        if not rows[number - 1].strip():
            end = rows[number - 1].lstrip(" \t\f")
            yield "".join([*rows[: number - 1], added + end, *rows[number:]])
    if first is not None and not isinstance(first, _COMPOUND):
        row = rows[first.lineno - 1]
        at = len(row.encode()[: first.col_offset].decode())
        rows[first.lineno - 1] = f"{row[:at]}{added}; {row[at:]}"
        yield "".join(rows)
    elif last is not None and last.end_lineno and last.end_col_offset is not None:
        row = rows[last.end_lineno - 1]
        at = len(row.encode()[: last.end_col_offset].decode())
        rows[last.end_lineno - 1] = f"{row[:at]}; {added}{row[at:]}"
        yield "".join(rows)


_COMPOUND = (
    ast.AsyncFor, ast.AsyncFunctionDef, ast.AsyncWith, ast.ClassDef, ast.For, ast.FunctionDef, ast.If,
    ast.Match, ast.Try, ast.TryStar, ast.While, ast.With,
)  # fmt: skip


def _own(tree: ast.Module) -> tuple[ast.stmt | None, ast.stmt | None]:
    """Return the last statement that has to stay in front, and the first one after it."""
    last = None
    for place, statement in enumerate(tree.body):
        is_text = (
            place == 0
            and isinstance(statement, ast.Expr)
            and isinstance(statement.value, ast.Constant)
            and isinstance(statement.value.value, str)
        )
        is_future = isinstance(statement, ast.ImportFrom) and statement.module == "__future__"
        if not (is_text or is_future):
            return last, statement
        last = statement
    return last, None


def _first_line(statement: ast.stmt | None) -> int:
    if statement is None:
        return 1
    decorators = getattr(statement, "decorator_list", [])
    lines: list[int] = [statement.lineno, *[one.lineno for one in decorators]]
    return min(lines)


def _parsed(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except SyntaxError:
        return None


def _without(tree: ast.Module, added: str) -> ast.Module:
    """Return the tree without what was added, wherever that is."""
    count = len(ast.parse(added).body)
    head = ast.dump(ast.Module(ast.parse(added).body, []))
    for place in range(len(tree.body)):
        part = tree.body[place : place + count]
        if ast.dump(ast.Module(part, [])) == head:
            return ast.Module(tree.body[:place] + tree.body[place + count :], [])
    return tree


def _dump(tree: ast.Module) -> str:
    """Return what a script says, and the line of each statement."""
    return ast.dump(tree) + repr([getattr(node, "lineno", 0) for node in ast.walk(tree)])
