"""A program as a tree: LibCST's, with what the rules ask about it.

It gives the position of a node in the text, the nodes around it, its scope, and the names in use.
`bindings` decides what the names mean.
"""

import bisect
import keyword
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import TypeVar

import libcst as cst
from libcst.helpers import get_full_name_for_node
from libcst.metadata import (
    Assignment,
    BaseAssignment,
    ByteSpanPositionProvider,
    CodeSpan,
    ImportAssignment,
    MetadataWrapper,
    Scope,
    ScopeProvider,
)

from .edits import Edit
from .source import NotMigrated

Node = TypeVar("Node", bound=cst.CSTNode)

_OURS = ("cgi", "cgitb", "cgikit.compat.cgi", "cgikit.compat.cgitb")  # what they export is known
_DEPTH = 20_000  # calls within calls, while a program is read

#: Names by which a program reaches its own variables unseen.
REFLECTION = frozenset("eval exec globals locals vars execfile".split())
_LINE_END = re.compile(rb"\r\n|\r|\n")


class Code:
    """One module. Raises `NotMigrated` for what LibCST cannot read."""

    def __init__(self, text: str) -> None:
        self.data = text.encode()
        before = sys.getrecursionlimit()
        sys.setrecursionlimit(max(before, _DEPTH))  # a page of 400 pieces joined by + is that deep
        try:
            self._read(text)
        except cst.ParserSyntaxError as error:
            raise NotMigrated(f"it is not valid Python: {error.message}", error.raw_line) from error
        except RecursionError:
            raise NotMigrated("an expression in it is nested too deeply for LibCST") from None
        finally:
            sys.setrecursionlimit(before)
        self.nodes = list(_walk(self.module))
        self._parents = {child: node for node in self.nodes for child in node.children}
        self._assigned: dict[str, list[BaseAssignment]] = {}
        scopes = {id(scope): scope for scope in self._scopes.values() if isinstance(scope, Scope)}
        for scope in scopes.values():
            for one in scope.assignments:
                if isinstance(one, Assignment):  # not a name that Python brings along
                    self._assigned.setdefault(one.name.partition(".")[0], []).append(one)
        self.names = frozenset(self._names())

    def _read(self, text: str) -> None:
        self.module = cst.parse_module(text)
        if self.module.code != text:
            raise _changed(text, self.module.code)
        # without a copy, which is there for trees that people make: nothing of this one is in it twice
        wrapper = MetadataWrapper(self.module, unsafe_skip_copy=True)
        known = wrapper.resolve_many((ByteSpanPositionProvider, ScopeProvider))
        self._spans, self._scopes = known[ByteSpanPositionProvider], known[ScopeProvider]

    def _names(self) -> Iterator[str]:
        for node in self.each(cst.Name):
            parent = self.parent(node)
            if isinstance(parent, cst.Attribute) and parent.attr is node:
                continue
            if not (isinstance(parent, cst.Arg) and parent.keyword is node):
                yield node.value

    def each(self, kind: type[Node]) -> Iterator[Node]:
        """Yield all nodes of a kind, in the order of the text."""
        return (node for node in self.nodes if isinstance(node, kind))

    def parent(self, node: cst.CSTNode) -> cst.CSTNode | None:
        """Return the node around a node; None around the module."""
        return self._parents.get(node)

    def parents(self, node: cst.CSTNode) -> Iterator[tuple[cst.CSTNode, cst.CSTNode]]:
        """Yield each node around a node, innermost first, with the one inside it that leads there."""
        outer = self.parent(node)
        while outer is not None:
            yield outer, node
            node, outer = outer, self.parent(outer)

    def scope(self, node: cst.CSTNode) -> Scope | None:
        """Return the scope that a node's names are looked up in."""
        scope = self._scopes.get(node)
        return scope if isinstance(scope, Scope) else None

    def assignments(self, name: str) -> list[BaseAssignment]:
        """Return everything that binds a name in any scope; for `import a.b` that is `a`."""
        return self._assigned.get(name, [])

    def assignment(self, target: cst.CSTNode) -> Assignment | None:
        """Return what LibCST knows of the variable that a name is bound to here."""
        name = target.value if isinstance(target, cst.Name) else ""
        found = [
            one
            for one in self.assignments(name)
            if isinstance(one, Assignment) and one.node is target
        ]
        return found[0] if len(found) == 1 else None

    def start(self, node: cst.CSTNode) -> int:
        """Return where a node begins (bytes), without the parentheses around it."""
        return self._span(node).start

    def end(self, node: cst.CSTNode) -> int:
        """Return where a node ends (bytes), without the parentheses around it."""
        span = self._span(node)
        return span.start + span.length

    def _span(self, node: cst.CSTNode) -> CodeSpan:
        span = self._spans[node]
        assert isinstance(span, CodeSpan)  # noqa: S101  # what this provider gives
        return span

    def source(self, node: cst.CSTNode) -> str:
        """Return a node as it is written, without the parentheses around it."""
        return self.between(self.start(node), self.end(node))

    def between(self, start: int, end: int) -> str:
        """Return the text from one place to another (bytes)."""
        return self.data[start:end].decode()

    def line(self, node: cst.CSTNode) -> int:
        """Return the number of the line that a node begins in."""
        return self.line_at(self.start(node))

    def line_at(self, place: int) -> int:
        """Return the number of the line of a place (bytes): of any kind of line end."""
        return bisect.bisect_right(self._lines, place) + 1

    def line_start(self, place: int) -> int:
        """Return where the line of a place begins (bytes)."""
        line = bisect.bisect_right(self._lines, place)
        return self._lines[line - 1] if line else 0

    def line_end(self, place: int) -> int:
        """Return where the line of a place ends (bytes), behind its line end."""
        line = bisect.bisect_right(self._lines, place)
        return self._lines[line] if line < len(self._lines) else len(self.data)

    @cached_property
    def _lines(self) -> list[int]:
        """Where each line but the first begins."""
        return [found.end() for found in _LINE_END.finditer(self.data)]

    def replace(self, node: cst.CSTNode, text: str) -> Edit:
        """Return the edit that puts a text in a node's place."""
        return Edit(self.start(node), self.end(node), text)

    def is_free(self, name: str) -> bool:
        """Whether a name means nothing anywhere in the module, so that it can be given."""
        return name not in self.names and not keyword.iskeyword(name)

    @property
    def reflects(self) -> bool:
        """Whether the program may reach its variables by names that cannot be seen."""
        return not REFLECTION.isdisjoint(self.names)

    def loses_comment(self, edits: Iterable[Edit]) -> bool:
        """Whether a comment stands in what edits would take out."""
        places = self._comment_places
        return any(
            bisect.bisect_left(places, edit.start) < bisect.bisect_left(places, edit.end)
            for edit in edits
        )

    @cached_property
    def _comment_places(self) -> list[int]:
        return sorted(self.start(comment) for comment in self.each(cst.Comment))

    def is_printed(self, edits: Iterable[Edit]) -> bool:
        """Whether edits would change an expression that an f-string prints as it is written: `{x=}`."""
        ends = self._printed
        for edit in edits:
            index = bisect.bisect_right(ends, (edit.start, len(self.data))) - 1
            if index >= 0 and edit.start < ends[index][1]:
                return True
        return False

    @cached_property
    def _printed(self) -> list[tuple[int, int]]:
        """From where to where the expressions in `{x=}` go; only the outermost ones."""
        found: list[tuple[int, int]] = []
        for node in self.each(cst.FormattedStringExpression):
            if node.equal is not None:
                start, end = self.start(node), self.end(node)
                if not found or start >= found[-1][1]:
                    found.append((start, end))
        return found

    @cached_property
    def has_star(self) -> bool:
        """Whether names may come from another file unseen, by `from x import *`."""
        return any(
            node.module is None or self.source(node.module) not in _OURS
            for node in self.each(cst.ImportFrom)
            if isinstance(node.names, cst.ImportStar)
        )

    @cached_property
    def meanings(self) -> dict[str, tuple[frozenset[str], int]]:
        """What names stand for that nothing binds but imports at the top of the module.

        Modules as "a.b", parts of them as "a:b"; and where the last of the imports begins (bytes).
        """
        found: dict[str, set[str]] = {}
        at_top: set[int] = set()
        for line in self.module.body:
            for statement in line.body if isinstance(line, cst.SimpleStatementLine) else ():
                for bound, target in bindings_of(statement):
                    at_top.add(id(statement))
                    found.setdefault(bound, set()).add(target)
        meanings = {}
        for name, targets in found.items():
            nodes = [
                one.node if isinstance(one, ImportAssignment) else None
                for one in self.assignments(name)
            ]
            starts = [self.start(node) for node in nodes if node and id(node) in at_top]
            if starts and len(starts) == len(nodes):
                meanings[name] = frozenset(targets), max(starts)
        return meanings

    @cached_property
    def captured(self) -> frozenset[str]:
        """Names that patterns bind: LibCST's scopes do not list them."""
        kinds = (cst.MatchAs, cst.MatchStar)
        return frozenset(
            node.name.value
            for node in self.nodes
            if isinstance(node, kinds) and node.name is not None
        )

    @cached_property
    def shared(self) -> frozenset[str]:
        """Names in `global` and `nonlocal` statements: what a function binds for others."""
        return frozenset(
            item.name.value
            for node in self.nodes
            if isinstance(node, cst.Global | cst.Nonlocal)
            for item in node.names
        )

    def comments(self) -> Iterator[str]:
        """Yield all comments."""
        return (comment.value for comment in self.each(cst.Comment))


def _changed(text: str, given: str) -> NotMigrated:
    """Return why a text is refused that LibCST changes: what stands where it begins to differ."""
    same = next(
        (i for i, (a, b) in enumerate(zip(text, given, strict=False)) if a != b), len(given)
    )
    line = len(_LINE_END.findall(text[:same].encode())) + 1
    cause = ""
    if "\f" in text:
        cause = " (a form feed at the start of a line: take it out)"
    elif "\r" in text.replace("\r\n", ""):
        cause = " (a line that ends with CR alone: save it with the line ends of Unix)"
    return NotMigrated(f"LibCST does not reproduce it unchanged{cause}", line)


def _walk(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Yield a node and all below it, in the order of the text."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += reversed(node.children)


def bindings_of(statement: cst.CSTNode) -> list[tuple[str, str]]:
    """Return the names that an import statement binds, each with what it stands for."""
    if isinstance(statement, cst.Import):
        return [
            (alias.evaluated_alias, alias.evaluated_name)
            if alias.evaluated_alias
            else (alias.evaluated_name.partition(".")[0], alias.evaluated_name)
            for alias in statement.names
        ]
    if isinstance(statement, cst.ImportFrom) and not isinstance(statement.names, cst.ImportStar):
        dots = "." * len(statement.relative)
        origin = get_full_name_for_node(statement.module) if statement.module else ""
        return [
            (
                alias.evaluated_alias or alias.evaluated_name,
                f"{dots}{origin}:{alias.evaluated_name}",
            )
            for alias in statement.names
        ]
    return []
