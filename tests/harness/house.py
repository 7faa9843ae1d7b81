"""Reading the house: what the library's source says about its own structure.

Everything here takes source text apart with `ast` and returns complaints, a list of lines that each
name a place and what is wrong there; an empty list is a clean house. The rules themselves, the
tables of layers and exceptions, stand in `test_house.py`. Run as a program, this file prints the
measured row of docs/understand/architecture.md.
"""

import ast
import io
import re
import statistics
import tokenize
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "cgikit"

Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = Function | ast.ClassDef


@dataclass(frozen=True)
class Module:
    """One source file. `name` is dotted and relative to the package; the package itself is ""."""

    name: str
    source: str
    is_package: bool = False

    @cached_property
    def tree(self) -> ast.Module:
        """The parsed source."""
        return ast.parse(self.source)

    @property
    def lines(self) -> int:
        """Lines of the file."""
        return len(self.source.splitlines())


@cache
def read(package: Path = PACKAGE) -> tuple[Module, ...]:
    """All modules below the directory `package`, by name. Each is read and parsed once a run."""
    found = []
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        found.append(Module(name, path.read_text(), is_package))
    return tuple(found)


def written(node: ast.AST) -> str:
    """A node as it is written in the source: `ast.unparse`, which is slow, and most are names."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute):
        return f"{written(node.value)}.{node.attr}"
    return ast.unparse(node)


# --- arrows: who imports whom -----------------------------------------------------------------


@dataclass(frozen=True, order=True)
class Arrow:
    """`source` imports `target`, both relative to the package, in line `line`.

    `for_types` arrows are drawn under `if TYPE_CHECKING`: they name a type and load nothing.
    """

    source: str
    target: str
    line: int
    for_types: bool = False


def arrows(modules: Sequence[Module], package: str = "cgikit") -> list[Arrow]:
    """Every import of one module by another: lazy ones in functions, and those for types, too.

    The package itself, the face, draws no arrows: its table names everything by purpose. A name
    taken from the face is an arrow to the module that defines it.
    """
    names = {module.name for module in modules}
    face = next((face_table(module) for module in modules if module.name == ""), {})
    found = set()
    for module in modules:
        if module.name == "":
            continue
        for_types = under_type_checking(module.tree)
        for node in ast.walk(module.tree):
            for target in targets(node, module, package):
                known = resolve(target, names, face)
                if known is not None and known != module.name:
                    line = getattr(node, "lineno", 0)
                    found.add(Arrow(module.name, known, line, id(node) in for_types))
    return sorted(found)


def under_type_checking(tree: ast.Module) -> set[int]:
    """The ids of the nodes that only type checkers read."""
    guards = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and written(node.test).endswith("TYPE_CHECKING")
    ]
    return {id(i) for guard in guards for part in guard.body for i in ast.walk(part)}


def targets(node: ast.AST, module: Module, package: str) -> Iterator[str]:
    """The dotted names, relative to the package, that an import statement asks for."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.name.split(".")[0] == package:
                yield alias.name.removeprefix(package).removeprefix(".")
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            home = module.name.split(".") if module.name else []
            up = node.level - 1 if module.is_package else node.level
            home = home[: len(home) - up]
            base = ".".join([*home, base] if base else home)
        elif base.split(".")[0] == package:
            base = base.removeprefix(package).removeprefix(".")
        else:
            return
        for alias in node.names:
            yield f"{base}.{alias.name}" if base else alias.name


def resolve(target: str, names: set[str], face: Mapping[str, str]) -> str | None:
    """The module that a dotted name leads to: itself, the one that holds it, or None."""
    if target in names and target:
        return target
    holder, _, _ = target.rpartition(".")
    if holder:
        return holder if holder in names else None
    return face.get(target)


def face_table(module: Module) -> dict[str, str]:
    """The table of the package's `__init__`: public name to module name."""
    for node in module.tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict):
            table = ast.literal_eval(node.value)
            if any(getattr(target, "id", "") == "_MODULE_OF" for target in node.targets):
                return dict(table)
    return {}


def room(name: str) -> str:
    """The first part of a module's name: the unit that layers speak of."""
    return name.split(".")[0]


def wrong_arrows(found: Iterable[Arrow], layers: Sequence[set[str]]) -> list[str]:
    """Imports that point up, and modules that no layer knows."""
    level = {name: number for number, layer in enumerate(layers) for name in layer}
    complaints = []
    for arrow in found:
        source, target = room(arrow.source), room(arrow.target)
        if source not in level or target not in level:
            unknown = source if source not in level else target
            complaints.append(f"{unknown} is in no layer")
        elif level[source] < level[target]:
            complaints.append(
                f"{arrow.source}:{arrow.line} (L{level[source]}) imports {arrow.target}"
                f" (L{level[target]}), which is above it"
            )
    return sorted(set(complaints))


def forbidden_arrows(found: Iterable[Arrow], forbidden: Iterable[tuple[str, str]]) -> list[str]:
    """Imports between rooms that must not know each other; `*` stands for every other room."""
    pairs = set(forbidden)
    complaints = []
    for arrow in found:
        source, target = room(arrow.source), room(arrow.target)
        if source != target and pairs & {(source, target), ("*", target)}:
            complaints.append(f"{arrow.source}:{arrow.line} imports {arrow.target}")
    return complaints


def cycles(found: Iterable[Arrow]) -> list[str]:
    """Circles of imports, each written out once. An import for types alone closes one as well: two
    modules that cannot be read without each other are one module.
    """
    graph: dict[str, set[str]] = {}
    for arrow in found:
        graph.setdefault(arrow.source, set()).add(arrow.target)
    complaints: dict[frozenset[str], str] = {}

    def follow(name: str, path: list[str]) -> None:
        if name in path:
            circle = [*path[path.index(name) :], name]
            complaints.setdefault(frozenset(circle), " -> ".join(circle))
        elif name not in done:
            for target in sorted(graph.get(name, ())):
                follow(target, [*path, name])
            done.add(name)

    done: set[str] = set()
    for name in sorted(graph):
        follow(name, [])
    return sorted(complaints.values())


def hidden_imports(module: Module) -> list[str]:
    """Imports by a computed name, which nobody can read as an arrow."""
    calls = {"__import__", "import_module", "importlib.import_module"}
    return [
        f"{module.name}:{node.lineno} {written(node.func)}()"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and written(node.func) in calls
    ]


# --- the outside world ------------------------------------------------------------------------

#: Importing one of these is already reaching out.
WORLDLY_MODULES = frozenset(
    "_io asyncio fcntl ftplib http.client http.server mmap multiprocessing posix resource select"
    " selectors shutil signal smtplib socket socketserver sqlite3 subprocess tempfile threading"
    " urllib.request _posixsubprocess".split()
)
WORLDLY_BUILTINS = frozenset({"open", "input", "print"})
WORLDLY_SYS = frozenset({"stdin", "stdout", "stderr", "argv", "exit"})
#: What of `os` and `os.path` only looks at its arguments; everything else asks the system.
PURE_OS = frozenset("PathLike fsdecode fsencode fspath linesep path sep strerror".split())
PURE_OS_PATH = frozenset(
    "basename commonpath dirname isabs join normcase normpath split splitext".split()
)


def world(module: Module) -> list[str]:
    """Where a module touches the process or the machine around it: `line: what`."""
    found = []
    for node in ast.walk(module.tree):
        found += [f"{module.name}:{node.lineno} {what}" for what in touched(node)]  # type: ignore[attr-defined]
    return sorted(set(found))


def touched(node: ast.AST) -> Iterator[str]:
    """What of the outside world this one node names."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name in WORLDLY_MODULES)
    elif isinstance(node, ast.ImportFrom) and not node.level:
        base = node.module or ""
        if base in WORLDLY_MODULES:
            yield base
        yield from (f"{base}.{a.name}" for a in node.names if is_worldly(base, a.name))
    elif isinstance(node, ast.Attribute):
        base = written(node.value)
        if is_worldly(base, node.attr):
            yield f"{base}.{node.attr}"
    elif isinstance(node, ast.Call) and written(node.func) in WORLDLY_BUILTINS:
        yield f"{written(node.func)}()"


def is_worldly(base: str, name: str) -> bool:
    """Whether `base.name` is a piece of the process or the system."""
    if base == "os":
        # Flags and codes such as os.O_RDONLY are numbers.
        return name not in PURE_OS and not name.isupper()
    if base == "os.path":
        return name not in PURE_OS_PATH
    return base == "sys" and name in WORLDLY_SYS


# --- names, sizes, words ----------------------------------------------------------------------


def definitions(module: Module) -> Iterator[tuple[str, Definition]]:
    """Every function and class with its dotted name, those inside functions too."""

    def inside(node: ast.AST, prefix: str) -> Iterator[tuple[str, Definition]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, Definition):
                yield prefix + child.name, child
                yield from inside(child, f"{prefix}{child.name}.")
            else:
                yield from inside(child, prefix)

    yield from inside(module.tree, f"{module.name}." if module.name else "")


def nodes(node: ast.AST, place: str = "") -> Iterator[tuple[str, ast.AST]]:
    """Every node below another one, with the dotted name of the function or class it stands in; the
    place of a function or class is its own name.
    """
    for child in ast.iter_child_nodes(node):
        inside = place
        if isinstance(child, Definition):
            inside = f"{place}.{child.name}" if place else child.name
        yield inside, child
        yield from nodes(child, inside)


def called(call: ast.Call) -> str:
    """The name of the function or method that is called, "" where it is computed."""
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else ""
    return function.id if isinstance(function, ast.Name) else name


def public(module: Module) -> Iterator[tuple[str, Definition]]:
    """The definitions that somebody outside can name: no underscore, not local to a function."""
    local = {
        id(inner)
        for _, outer in definitions(module)
        if isinstance(outer, Function)
        for inner in ast.walk(outer)
        if inner is not outer
    }
    for name, node in definitions(module):
        own = name.removeprefix(f"{module.name}.").split(".")
        if id(node) not in local and not any(part.startswith("_") for part in own):
            yield name, node


def is_overload(node: Definition) -> bool:
    """Whether this is one of several signatures; the implementation carries the docstring."""
    return any(written(d).endswith("overload") for d in node.decorator_list)


def undocumented(module: Module) -> list[str]:
    """The module itself and public names that have no docstring."""
    missing = (
        [] if ast.get_docstring(module.tree) else [f"{module.name or '__init__'}: no docstring"]
    )
    for name, node in public(module):
        is_setter = any(written(d).endswith(".setter") for d in node.decorator_list)
        if not ast.get_docstring(node) and not is_overload(node) and not is_setter:
            missing.append(f"{name}: no docstring")
    return missing


def function_lines(node: Function) -> int:
    """Lines of a function from `def` to its end, without its docstring."""
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if ast.get_docstring(node, clean=False) is not None:
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines


def long_functions(module: Module, allowed: Mapping[str, str], limit: int = 50) -> list[str]:
    """Functions over `limit` lines that `allowed`, name to reason, does not list."""
    return [
        f"{name}: {function_lines(node)} lines"
        for name, node in definitions(module)
        if isinstance(node, Function) and function_lines(node) > limit and name not in allowed
    ]


MUTABLE_NODES = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
MUTABLE_CALLS = frozenset("list dict set bytearray defaultdict OrderedDict deque Counter".split())


def mutable_globals(module: Module) -> list[str]:
    """Containers bound to a lower-case name of the module, and `global` statements."""
    found = []
    for node in top_level(module.tree.body):
        if isinstance(node, ast.Assign | ast.AnnAssign) and is_mutable(node.value):
            bound = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in bound:
                name = written(target)
                # UPPER_CASE is a table that nobody changes; __all__ and its kind are Python's.
                if not name.isupper() and not name.startswith("__"):
                    found.append(f"{module.name}:{node.lineno} {name} is mutable")
    for inner in ast.walk(module.tree):
        if isinstance(inner, ast.Global):
            found.append(f"{module.name}:{inner.lineno} global {', '.join(inner.names)}")
    return found


def top_level(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that run when the module is imported, under `if` and `try` too."""
    for node in body:
        yield node
        if isinstance(node, ast.If | ast.Try | ast.With | ast.For | ast.While):
            yield from top_level(s for s in ast.iter_child_nodes(node) if isinstance(s, ast.stmt))


def is_mutable(value: ast.expr | None) -> bool:
    """Whether an expression makes a list, dict, set or the like."""
    if isinstance(value, ast.Call):
        return written(value.func).rpartition(".")[2] in MUTABLE_CALLS
    return isinstance(value, MUTABLE_NODES)


def future_annotations(module: Module) -> list[str]:
    """`from __future__` imports: each costs every script an import at start-up."""
    return [
        f"{module.name}:{node.lineno} imports __future__"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ImportFrom) and node.module == "__future__"
    ]


def matches(pattern: re.Pattern[str], texts: Mapping[str, str]) -> list[str]:
    """Lines of `texts`, file name to content, in which `pattern` occurs."""
    return [
        f"{name}:{number} {line.strip()[:80]}"
        for name, text in texts.items()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def without_mirror(modules: Iterable[Module], tests: Path) -> list[str]:
    """Modules without a test file of their own: `a/b.py` is tested by a `test_a_b.py`.

    In whatever directory of tests. That each has a page is looked at by `tests/test_docs.py`.
    """
    tested = {path.name for path in tests.rglob("test_*.py")}
    names = [m.name for m in modules if not m.is_package and not m.name.endswith("__main__")]
    return [name for name in names if f"test_{name.replace('.', '_')}.py" not in tested]


# --- the measured row -------------------------------------------------------------------------


def comment_ratio(modules: Iterable[Module]) -> float:
    """Lines that hold a comment, for each line that holds code."""
    comments: set[tuple[str, int]] = set()
    code: set[tuple[str, int]] = set()
    layout = {tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    for module in modules:
        for token in tokenize.generate_tokens(io.StringIO(module.source).readline):
            if token.type == tokenize.COMMENT:
                comments.add((module.name, token.start[0]))
            elif token.type not in layout:
                code.add((module.name, token.start[0]))
    return len(comments) / len(code)


def measured(modules: Sequence[Module]) -> str:
    """The row of docs/understand/architecture.md, with its head."""
    sizes = {module.name or "__init__": module.lines for module in modules if module.lines > 1}
    functions = {
        name: function_lines(node)
        for module in modules
        for name, node in definitions(module)
        if isinstance(node, Function)
    }
    names = sum(1 for m in modules for _, node in public(m) if not is_overload(node)) + len(modules)
    gaps = sum(len(undocumented(module)) for module in modules)
    largest_module = max(sizes, key=lambda name: sizes[name])
    largest_function = max(functions, key=lambda name: functions[name])
    ninetieth = sorted(functions.values())[int(len(functions) * 0.9)]
    return (
        "| modules | median lines | largest | functions | 90th percentile | largest"
        " | public docstrings | comment lines per code line |\n"
        "|---|---|---|---|---|---|---|---|\n"
        f"| {len(sizes)} | {statistics.median(sizes.values()):g}"
        f" | {sizes[largest_module]} (`{largest_module}`)"
        f" | {len(functions)} | {ninetieth}"
        f" | {functions[largest_function]} (`{largest_function}`)"
        f" | {100 * (names - gaps) / names:.0f} % | {comment_ratio(modules):.2f} |"
    )


if __name__ == "__main__":
    print(measured(read()))
