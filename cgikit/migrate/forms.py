"""The uses of one `FieldStorage`: what each becomes, or why it has no equivalent with `Request`.

Text keeps the meaning that it had for queries and urlencoded bodies: a blank field counts as missing,
unless the program sets `keep_blank_values`. Files are those of `request.files`.
"""

import re
from typing import NamedTuple

import libcst as cst
from libcst.metadata import Access, Assignment

from . import contexts, uploads
from .code import Code
from .edits import Edit

_FILE_PARTS = frozenset({"file", "filename"})
_FILE_INPUT = re.compile(r"<input\b[^>]*\btype\s*=\s*\\?[\"']?file\b[^>]*", re.I)
_INPUT_NAME = re.compile(r"\bname\s*=\s*\\?[\"']?([\w.\[\]-]+)", re.I)


class Stays(Exception):
    """A use that has no equivalent with `Request`; `node` is the place."""

    def __init__(self, node: cst.CSTNode, why: str) -> None:
        super().__init__(why)
        self.node = node
        self.why = why


class Part(NamedTuple):
    """`form[key].value` and its like, also by a variable: `item = form[key]`, `item.value`."""

    subscript: cst.Subscript
    key: cst.BaseExpression
    attributes: list[cst.Attribute]
    assigned: bool


class Form:
    """All uses of a form. `edits(files)` gives their new forms, with that name for the request's files;
    it raises `Stays`. `has_files` and `has_text` say what the program looks at.
    """

    def __init__(self, code: Code, assignment: Assignment, keep_blank: bool) -> None:
        self._code = code
        self._keep = keep_blank
        self._names = [_name(access) for access in _in_order(code, assignment)]
        self._parts: dict[int, Part] = {}
        for name in self._names:
            outer = code.parent(name)
            if isinstance(outer, cst.Subscript) and outer.value is name:
                self._parts[id(name)] = self._part(outer)
        self._file_keys = {
            code.source(part.key) for part in self._parts.values() if self._is_file(part)
        }
        self._file_inputs = set(_file_inputs(code))
        keys = [key for name in self._names if (key := self._key(name)) is not None]
        self._sign = uploads.sign(code, keys)
        self._text = uploads.text_fields(code)
        self._repeated = {
            code.source(key)
            for name in self._names
            if self._method(name) == "getlist" and (key := self._key(name)) is not None
        }
        #: The fields that are read as text here and, as far as this file shows, may be files.
        self.unknown = sorted(
            {
                code.source(key)
                for key in keys
                if contexts.text_of(key) not in self._text
                and code.source(key) not in self._file_keys
            }
        )
        self.has_files = bool(self._file_keys)
        self.has_text = not self._names or any(
            not self.has_files or not self._of_file(name) for name in self._names
        )

    def edits(self, files: str) -> list[Edit]:
        """Return the changes of all uses."""
        found: list[Edit] = []
        for name in self._names:
            found += self._use(name, files)
        return found

    # --- what is what ---------------------------------------------------------------------------

    def _part(self, subscript: cst.Subscript) -> Part:
        code = self._code
        index = subscript.slice[0].slice if len(subscript.slice) == 1 else None
        if not isinstance(index, cst.Index) or index.star:
            raise Stays(subscript, "reads it in a way that Request does not support")
        outer = code.parent(subscript)
        if isinstance(outer, cst.Attribute):
            return Part(subscript, index.value, [outer], False)
        target = code.parent(outer) if outer else None
        is_one = isinstance(outer, cst.Assign) and len(outer.targets) == 1
        if not is_one or outer is None or not isinstance(outer, cst.Assign) or target is None:
            raise Stays(subscript, "uses a field as an object")
        variable = code.assignment(outer.targets[0].target)
        if variable is None or len(variable.scope.assignments[variable.name]) != 1:
            raise Stays(subscript, "keeps a field in a variable that is bound again")
        attributes = []
        for access in _in_order(code, variable):
            used = code.parent(access.node)
            if not isinstance(used, cst.Attribute):
                raise Stays(access.node, "uses a field as an object")
            attributes.append(used)
        return Part(subscript, index.value, attributes, True)

    def _is_file(self, part: Part) -> bool:
        return any(attribute.attr.value in _FILE_PARTS for attribute in part.attributes)

    def _of_file(self, name: cst.Name) -> bool:
        part = self._parts.get(id(name))
        if part is not None:
            return self._code.source(part.key) in self._file_keys
        membership = self._membership(name)
        return membership is not None and self._code.source(membership.left) in self._file_keys

    def _membership(self, name: cst.Name) -> cst.Comparison | None:
        """Return `key in form`, if that is what a name stands in."""
        target = self._code.parent(name)
        outer = self._code.parent(target) if isinstance(target, cst.ComparisonTarget) else None
        if isinstance(outer, cst.Comparison) and isinstance(target, cst.ComparisonTarget):
            is_in = isinstance(target.operator, cst.In | cst.NotIn)
            return outer if is_in and len(outer.comparisons) == 1 else None
        return None

    def _check_text(self, key: cst.BaseExpression) -> None:
        """Raise `Stays` for a field that is read as text and may be a file."""
        written = self._code.source(key)
        if written in self._file_keys or contexts.text_of(key) in self._file_inputs:
            raise Stays(key, f"reads the file {written} as a value")
        if self._file_keys and contexts.text_of(key) is None:
            raise Stays(key, f"reads the field {written}, which may be a file, as a value")
        if self._sign and contexts.text_of(key) not in self._text:
            raise Stays(key, f"reads the field {written}, which may be a file ({self._seen})")

    def _check_all(self, name: cst.BaseExpression) -> None:
        """Raise `Stays` for what goes through all fields, if files may be among them."""
        if self._sign:
            raise Stays(name, f"goes through all fields, and some may be files ({self._seen})")

    @property
    def _seen(self) -> str:
        line, text = self._sign or (0, "")
        return f"line {line}: {' '.join(text.split())}"

    def _method(self, name: cst.Name) -> str:
        """Return the name of the method that a use of the form calls, or ""."""
        outer = self._code.parent(name)
        return outer.attr.value if isinstance(outer, cst.Attribute) else ""

    def _key(self, name: cst.Name) -> cst.BaseExpression | None:
        """Return the name of the field that a use of the form is for."""
        if id(name) in self._parts:
            return self._parts[id(name)].key
        membership = self._membership(name)
        if membership is not None:
            return membership.left
        outer = self._code.parent(name)
        call = self._code.parent(outer) if isinstance(outer, cst.Attribute) else None
        return call.args[0].value if isinstance(call, cst.Call) and call.args else None

    # --- the uses -------------------------------------------------------------------------------

    def _use(self, name: cst.Name, files: str) -> list[Edit]:
        code, outer = self._code, self._code.parent(name)
        if id(name) in self._parts:
            return self._part_edits(name, self._parts[id(name)], files)
        membership = self._membership(name)
        if membership is not None:
            return self._membership_edits(name, membership, files)
        call = code.parent(outer) if isinstance(outer, cst.Attribute) else None
        if isinstance(outer, cst.Attribute) and isinstance(call, cst.Call) and call.func is outer:
            return self._call(outer, call)
        is_loop = isinstance(outer, cst.For | cst.CompFor) and outer.iter is name
        is_whole = is_loop or contexts.is_test(code, name)
        if is_whole or (isinstance(outer, cst.Arg) and is_length(code, outer)):
            self._check_all(name)
        if is_loop:
            return [] if self._keep else [code.replace(name, self._kept_names(name))]
        if isinstance(outer, cst.Arg) and is_length(code, outer):
            return [] if self._keep else [code.replace(name, self._kept_names(name))]
        if contexts.is_test(code, name):
            return [] if self._keep else [code.replace(name, f"any({name.value}.values())")]
        raise Stays(name, _why(code, name))

    def _kept_names(self, name: cst.BaseExpression) -> str:
        form = self._code.source(name)
        each = "name" if form != "name" else "field"
        return f"[{each} for {each} in {form} if {form}.get({each})]"

    def _call(self, method: cst.Attribute, call: cst.Call) -> list[Edit]:
        code, kind = self._code, method.attr.value
        args = list(call.args)
        if kind == "keys" and not args:
            form = method.value
            self._check_all(form)
            text = f"[*{code.source(form)}]" if self._keep else self._kept_names(form)
            return [code.replace(call, text)]
        counts = {"getvalue": (1, 2), "getfirst": (1, 2), "getlist": (1, 1)}.get(kind)
        if counts is None:
            raise Stays(call, f"calls .{kind}()")
        simple = all(not arg.star for arg in args) and args[:1] and args[0].keyword is None
        if not simple or not counts[0] <= len(args) <= counts[1] or "#" in self._gaps(call):
            raise Stays(call, f"calls .{kind}() with other arguments")
        self._check_text(args[0].value)
        if kind == "getlist":
            start, end = code.start(call), code.end(call)
            if self._keep:
                return []
            return [Edit(start, start, "[value for value in "), Edit(end, end, " if value]")]
        if kind == "getfirst" and not self._keep and code.source(args[0].value) in self._repeated:
            return self._first_of_many(method, call, args)
        return self._get(method, call, args)

    def _first_of_many(
        self, method: cst.Attribute, call: cst.Call, args: list[cst.Arg]
    ) -> list[Edit]:
        """`getfirst` of a field that is sent several times: the first that is not blank, as it was."""
        code, start, end = self._code, self._code.start(call), self._code.end(call)
        edits = [Edit(start, start, "next(filter(None, "), code.replace(method.attr, "getlist")]
        behind = code.end(args[0])
        if len(args) == 1:
            return [*edits, Edit(behind, end, ")), None)")]
        return [*edits, Edit(behind, code.start(args[1].value), ")), ")]

    def _gaps(self, call: cst.Call) -> str:
        """Return what is between the arguments of a call and behind: comments would be lost there."""
        code = self._code
        first, last = call.args[0], call.args[-1]
        between = code.between(code.end(first), code.start(last)) if first is not last else ""
        return between + code.between(code.end(last), code.end(call))

    def _get(self, method: cst.Attribute, call: cst.Call, args: list[cst.Arg]) -> list[Edit]:
        code = self._code
        edits = [code.replace(method.attr, "get")]
        default = args[1] if len(args) == 2 else None
        if self._keep or (default is not None and contexts.text_of(default.value) == ""):
            return edits
        is_none = default is None or code.source(default.value) == "None"
        blank_is_none = (
            contexts.is_test(code, call)
            or contexts.is_alternative(code, call)
            or contexts.is_compared_with_text(code, call)
        )
        if default is None and blank_is_none:
            return edits
        end = code.end(call)
        if default is not None:
            if is_none and blank_is_none:
                return [*edits, Edit(code.end(args[0]), end, ")")]
            value = code.start(default.value) if default.keyword else code.start(default)
            low = contexts.is_low(default.value)
            edits.append(Edit(code.end(args[0]), value, ") or (" if low else ") or "))
            edits.append(Edit(code.end(default), end, ")" if low else ""))
        else:
            edits.append(Edit(end, end, " or None"))
        if contexts.needs_parentheses(code, call):
            start = code.start(call)
            edits = [Edit(start, start, "("), *edits, Edit(end, end, ")")]
        return edits

    def _membership_edits(self, name: cst.Name, test: cst.Comparison, files: str) -> list[Edit]:
        code, key = self._code, test.left
        if code.source(key) in self._file_keys:
            return [code.replace(name, files)]
        self._check_text(key)
        if self._keep:
            return []
        start, end = code.start(test), code.end(test)
        negated = isinstance(test.comparisons[0].operator, cst.NotIn)
        before = f"not {name.value}.get(" if negated else f"{name.value}.get("
        after = ")"
        if not contexts.is_test(code, test):
            roomy = not negated or not contexts.needs_parentheses(code, test)
            before = before if negated else f"bool({before}"
            before, after = (before, ")" if negated else "))") if roomy else (f"({before}", "))")
        if key.lpar:  # they would be the call's
            raise Stays(test, "tests for a name in parentheses")
        return [Edit(start, start, before), Edit(code.end(key), end, after)]

    def _part_edits(self, name: cst.Name, part: Part, files: str) -> list[Edit]:
        if contexts.misses_are_caught(self._code, part.subscript):
            raise Stays(part.subscript, "relies on the KeyError of a missing field")
        code = self._code
        if code.source(part.key) in self._file_keys:
            return self._file_edits(name, part, files)
        self._check_text(part.key)
        edits = []
        for attribute in part.attributes:
            if _is_set(code, attribute):
                raise Stays(attribute, "sets .value of a field")
            if attribute.attr.value != "value":
                raise Stays(attribute, f"uses .{attribute.attr.value} of a field")
            edits.append(Edit(self._code.end(attribute.value), self._code.end(attribute), ""))
        return edits

    def _file_edits(self, name: cst.Name, part: Part, files: str) -> list[Edit]:
        """`form["f"].file` and its like: a file input left empty was a file here, but is none there."""
        code = self._code
        tests = [a for a in part.attributes if self._asks(a)]
        self._check_read_once(part)
        edits = [code.replace(name, files)]
        if tests:  # `files.get(key)`
            opened, closed = code.end(name), code.end(part.subscript)
            edits.append(Edit(opened, code.start(part.key), ".get("))
            edits.append(Edit(code.end(part.key), closed, ")"))
        for attribute in part.attributes:
            what = attribute.attr.value
            if _is_set(code, attribute):
                raise Stays(attribute, f"sets .{what} of a file")
            if isinstance(code.parent(attribute), cst.Comparison | cst.ComparisonTarget):
                raise Stays(attribute, f"compares .{what} of a file")
            end = code.end(attribute.value)
            if attribute in tests:
                edits.append(Edit(end, code.end(attribute), ""))
            elif what == "filename":
                edits.append(code.replace(attribute.attr, "client_filename"))
            elif what == "value":
                edits.append(code.replace(attribute.attr, "read()"))
            elif what != "file":
                raise Stays(attribute, f"uses .{what} of a file")
        return edits

    def _check_read_once(self, part: Part) -> None:
        """Raise `Stays` for a `.value` of a file beside another way to its content."""
        key = self._code.source(part.key)
        reads = [
            attribute
            for other in self._parts.values()
            if self._code.source(other.key) == key
            for attribute in other.attributes
            if attribute.attr.value in ("value", "file") and not self._asks(attribute)
        ]
        if len(reads) > 1 and any(attribute.attr.value == "value" for attribute in reads):
            raise Stays(reads[0], "reads the value of a file more than once")

    def _asks(self, attribute: cst.Attribute) -> bool:
        return attribute.attr.value in _FILE_PARTS and contexts.is_test(self._code, attribute)


def _name(access: Access) -> cst.Name:
    if not isinstance(access.node, cst.Name):
        raise Stays(access.node, "names it in a string")
    return access.node


def _in_order(code: Code, assignment: Assignment) -> list[Access]:
    return sorted(assignment.references, key=lambda access: code.start(access.node))


def _file_inputs(code: Code) -> list[str]:
    """Return the names of the file inputs in the pages that a program writes."""
    kinds = (cst.SimpleString, cst.FormattedStringText)
    texts = (code.source(node) for node in code.nodes if isinstance(node, kinds))
    inputs = [found for text in texts for found in _FILE_INPUT.findall(text)]
    return [name for found in inputs for name in _INPUT_NAME.findall(found)]


def _is_set(code: Code, attribute: cst.Attribute) -> bool:
    """Whether an attribute is bound or deleted, also as a part of a tuple or list."""
    for outer, inner in code.parents(attribute):
        if isinstance(outer, cst.AssignTarget | cst.Del | cst.AsName):
            return True
        if isinstance(outer, cst.AugAssign | cst.AnnAssign | cst.For | cst.CompFor):
            return outer.target is inner
        if not isinstance(outer, cst.Element | cst.StarredElement | cst.Tuple | cst.List):
            return False
    return False


def is_length(code: Code, argument: cst.Arg) -> bool:
    """Whether something is only counted."""
    call = code.parent(argument)
    return isinstance(call, cst.Call) and len(call.args) == 1 and code.source(call.func) == "len"


def _why(code: Code, name: cst.Name) -> str:
    """Return what a program does with a form, for the report."""
    outer = code.parent(name)
    if isinstance(outer, cst.Arg):
        return "passes it on"
    if isinstance(outer, cst.Return | cst.Yield):
        return "returns it"
    if isinstance(outer, cst.Attribute):
        return f"uses .{outer.attr.value}"
    if isinstance(outer, cst.Del):
        return "deletes it"
    return "uses it as a value"
