"""The work a parser does, counted and not timed: how its cost grows can be tested on a busy machine.

`instrumented(work, name…)` runs modules from their own source, with every operation on text and
bytes put through a counter: a slice costs what it copies; `find` and its kin what they look at, up
to the hit; every other method, `in` and `+` the length of what they are applied to; and every round
of a loop, every branch and every call of a function 1.
That is what C does underneath, so a loop that searches the rest of the input from each position
shows up as quadratic, although it runs a line of Python only once for each position.
"""

import ast
import builtins
import importlib
import inspect
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import ModuleType, SimpleNamespace
from typing import Any

SIZED = (str, bytes, bytearray, memoryview, list, tuple, dict)
TEXTS = (str, bytes, bytearray)


def reach(text: Any, start: int | None = None, end: int | None = None) -> tuple[int, int]:
    """From where to where a search looks at most."""
    first, last, _ = slice(start, end).indices(len(text))
    return first, max(first, last)


class Work:
    """The counter, and the operations that it counts."""

    def __init__(self) -> None:
        self.done = 0

    def step(self) -> None:
        self.done += 1

    def each(self, values: Iterable[Any]) -> Iterator[Any]:
        for value in values:
            self.done += 1
            yield value

    def slice(self, value: Any, key: Any) -> Any:
        result = value[key]
        self.done += len(result) if isinstance(key, slice) and isinstance(result, SIZED) else 1
        return result

    def contains(self, item: Any, container: Any) -> bool:
        if isinstance(container, str | bytes | bytearray | list | tuple):
            self.done += len(container)
        return item in container

    def add(self, left: Any, right: Any) -> Any:
        result = left + right
        self.done += len(result) if isinstance(result, SIZED) else 1
        return result

    def method(self, name: str, value: Any, *args: Any, **options: Any) -> Any:
        result = getattr(value, name)(*args, **options)
        if name in {"find", "index"} and isinstance(value, TEXTS):
            start, end = reach(value, *args[1:])
            self.done += (result if result >= 0 else end) - start + 1
        elif name in {"rfind", "rindex"} and isinstance(value, TEXTS):
            start, end = reach(value, *args[1:])
            self.done += end - max(start, result) + 1
        elif name in {"startswith", "endswith"} or name in {
            "append",
            "pop",
            "get",
            "setdefault",
            "add",
        }:
            self.done += 1
        elif isinstance(value, SIZED):
            self.done += len(value) + (len(result) if isinstance(result, SIZED) else 0)
            if name == "join":
                self.done += len(args[0]) if isinstance(args[0], SIZED) else 0
        return result


class Instrument(ast.NodeTransformer):
    """Puts the operations of a module through `_work`."""

    def call(self, name: str, *args: ast.expr, keywords: Sequence[ast.keyword] = ()) -> ast.Call:
        function = ast.Attribute(ast.Name("_work", ast.Load()), name, ast.Load())
        return ast.Call(function, list(args), list(keywords))

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        function = node.func
        if isinstance(function, ast.Attribute) and not (
            isinstance(function.value, ast.Call)
            and getattr(function.value.func, "id", "") == "super"
        ):
            name = ast.Constant(function.attr)
            return self.call("method", name, function.value, *node.args, keywords=node.keywords)
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.ctx, ast.Load):
            return node
        key = node.slice
        if isinstance(key, ast.Slice):
            none = ast.Constant(None)
            parts = [key.lower or none, key.upper or none, key.step or none]
            key = ast.Call(ast.Name("slice", ast.Load()), parts, [])
        return self.call("slice", node.value, key)

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        return self.call("add", node.left, node.right) if isinstance(node.op, ast.Add) else node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        if len(node.ops) == 1 and isinstance(node.ops[0], ast.In | ast.NotIn):
            found = self.call("contains", node.left, node.comparators[0])
            return found if isinstance(node.ops[0], ast.In) else ast.UnaryOp(ast.Not(), found)
        return node

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        super().generic_visit(node)
        node.iter = self.call("each", node.iter)
        return node

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        if not isinstance(node, ast.Module | ast.ClassDef):
            for field in ("body", "orelse", "finalbody"):
                inner = getattr(node, field, None)
                if isinstance(inner, list) and inner:
                    setattr(node, field, [self.counting(), *inner])
        return node

    def counting(self) -> ast.stmt:
        return ast.Expr(self.call("step"))


def instrumented(work: Work, *names: str) -> list[ModuleType]:
    """Modules made of the source of those named, counting into `work`; they import each other.

    Annotations are dropped: some are only there for type checkers.
    """
    modules: dict[str, ModuleType] = {name: ModuleType(name) for name in names}

    def find(
        name: str, globals_: Any = None, locals_: Any = None, fromlist: Any = (), level: int = 0
    ) -> Any:
        package = (globals_ or {}).get("__package__", "")
        full = f"{package}.{name}" if level else name
        if level and not name:  # from . import part
            found = [(part, f"{package}.{part}") for part in fromlist]
            return SimpleNamespace(
                **{part: modules.get(full) or importlib.import_module(full) for part, full in found}
            )
        return modules.get(full) or builtins.__import__(name, globals_, locals_, fromlist, level)

    for name, module in modules.items():
        source = inspect.getsource(importlib.import_module(name))
        tree = ast.fix_missing_locations(Instrument().visit(ast.parse(source)))
        package = name.rpartition(".")[0]
        module.__dict__.update(__package__=package, _work=work, __file__=name)
        module.__dict__["__builtins__"] = {**vars(builtins), "__import__": find}
        exec(compile(tree, f"<counted {name}>", "exec"), module.__dict__)
    return list(modules.values())


def growth(run: Callable[[int], Any], work: Work, size: int, doublings: int = 3) -> list[float]:
    """How many times the work grows with each doubling of `size`."""
    counts = []
    for doubling in range(doublings + 1):
        work.done = 0
        run(size << doubling)
        counts.append(work.done)
    return [after / before for before, after in itertools.pairwise(counts)]
