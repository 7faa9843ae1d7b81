"""The program that compiles a bundle's modules, run by the Python that will run them.

It imports nothing of cgikit. It reads one JSON object from standard input and writes another one to
standard output: files by path, in base64. The same input gives the same bytes; for that it is started
with a fixed hash seed. Positions inside a line are left out (`-X no_debug_ranges`): a traceback has its
lines all the same, and a tenth less has to be loaded.
"""

import ast
import base64
import importlib.util
import json
import marshal
import struct
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any

_UNCHECKED, _CHECKED = 1, 3  # flags of a .pyc (PEP 552)
_TABLE = "_COMPILED"
_MARK = "the compiled modules"


def main() -> None:
    """Compile what standard input names."""
    order = json.load(sys.stdin)
    done = {}
    for key, name, source in order.get("modules", ()):
        done[key] = marshal.dumps(_code(source, name))
    for key, name, packed, checked in order.get("files", ()):
        data = base64.b64decode(packed)
        try:
            done[key] = _file(_code(data, name), data, _CHECKED if checked else _UNCHECKED)
        except (SyntaxError, ValueError):
            pass  # a file of a package that no script imports: a template, a test
    if "first" in order:
        key, name, source = order["first"]
        hot = [(module, _hot(*value)) for module, value in order["hot"]]
        done[key] = _file(_with_table(source, name, hot), source.encode(), _UNCHECKED)
    json.dump({key: base64.b64encode(data).decode() for key, data in done.items()}, sys.stdout)


def _code(source: str | bytes, name: str) -> "CodeType":
    code: CodeType = compile(source, name, "exec", 0, True)
    return code


def _file(code: "CodeType", source: bytes, flags: int) -> bytes:
    """Return the bytes of a .pyc that is valid by the hash of its source, whatever its time."""
    digest = importlib.util.source_hash(source)
    head = importlib.util.MAGIC_NUMBER + struct.pack("<I", flags)
    return head + digest + marshal.dumps(code)


def _hot(name: str, source: str, kind: str) -> "CodeType | bytes":
    """Return the code of a module, in bytes if not every request loads it."""
    if kind == "bytes":
        return marshal.dumps(_code(source, name))
    tree = ast.parse(source)
    tree.body = [_without_os(statement) for statement in tree.body]
    code: CodeType = compile(tree, name, "exec", 0, True)
    return code


def _without_os(statement: ast.stmt) -> ast.stmt:
    """Return `import os` as the import of what stands for it until it is needed (`boot.py`)."""
    if isinstance(statement, ast.Import) and [one.name for one in statement.names] == ["os"]:
        late = ast.ImportFrom("cgikit", [ast.alias("_os", "os")], 0)
        return ast.fix_missing_locations(ast.copy_location(late, statement))
    return statement


def _with_table(source: str, name: str, hot: "list[tuple[str, Any]]") -> "CodeType":
    """Return the code of the first module, with the others in the table that its source has empty."""
    code = _code(source.replace(f"\n{_TABLE} = ()\n", f"\n{_TABLE} = {_MARK!r}\n"), name)
    constants = [tuple(hot) if one == _MARK else one for one in code.co_consts]
    return code.replace(co_consts=tuple(constants))


if __name__ == "__main__":
    main()
