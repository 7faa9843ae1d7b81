"""Rule `fieldstorage` (--unsafe): `form = cgi.FieldStorage()` becomes `form = Request().params`.

Only for a variable that is bound once and used in the forms below, all of them in this file.
Queries and urlencoded forms keep their meaning: a blank field still counts as absent. A global
variable of a module (no `#!`, no output) stays, because programs in other directories may take it
from there. If anything in the file looks like an upload (`multipart`, a file input, `.filename`, a
file opened with "wb", …), only fields that the file's own HTML shows to be text are rewritten; for
any other field the form stays. Without such a sign the report names the fields to check. What
differs: a file that is read by `getvalue` or `.value`, or tested for by `in`, is not found any more,
and `keys()`, `len()` and loops leave it out, so check that no form sends one, also in HTML outside
this file; for a repeated name `getvalue` returned a list and `getfirst` the first value that is not
blank, now it is the first value, even if that is blank (`getfirst` of a name that is also read by
`getlist` keeps its meaning); `form[k].value` of a blank field is "" and not a KeyError; in a
multipart form blank fields counted as present, and the query came first; file names and bodies have
limits (docs/reference/limits.md), and a body that is not a form raises an error.
"""

import re

import libcst as cst
from libcst.metadata import Assignment, ClassScope, GlobalScope

from .bindings import Group, Use
from .code import Code
from .edits import Edit
from .forms import Form, Stays
from .imports import separator
from .spelling import spell
from .work import Rewritten, Work

MEMBERS = ("FieldStorage",)
_RULE = "fieldstorage"
_KINDS = re.compile(r"\b(?:list|tuple|List|Tuple)\b|\[\]")
_OUTPUT = frozenset(("print", "sys.stdout.write", "sys.stdout.buffer.write"))
_NAMED = 6  # fields that one line of the report names
_FREE = ("request", "cgi_request", "form_request")


def rewrite(work: Work, group: Group, use: Use) -> Rewritten | None:
    """Return what becomes of `form = cgi.FieldStorage()` and of all uses; None if it stays."""
    if not work.unsafe or use.call is None:
        return None
    try:
        return _moved(work, group, use, use.call)
    except Stays as reason:
        where, made = work.code.line(reason.node), work.code.line(use.call)
        made_in = "" if where == made else f" (made in line {made})"
        work.note(where, _RULE, f"the FieldStorage{made_in} stays: the program {reason.why}")
        return None


def _moved(work: Work, group: Group, use: Use, call: cst.Call) -> Rewritten:
    code = work.code
    statement = code.parent(call)
    if not isinstance(statement, cst.Assign) or len(statement.targets) != 1:
        raise Stays(call, "does not keep it in one variable")
    variable = _variable(code, statement)
    keep = _keeps_blanks(code, call)
    _check_world(work, variable)
    form = Form(code, variable, keep)
    spelling = spell(code, group, "cgikit", "Request")
    if spelling is None or work.exported(variable.name):
        raise Stays(call, "is used by other programs" if spelling else "uses the name Request")
    if not form.has_files:
        edits = [code.replace(call, f"{spelling.expression}().params"), *form.edits("")]
        _settle(work, call, variable, form, edits)
        return Rewritten(spelling.need, edits)
    if variable.scope is not code.scope(statement):
        raise Stays(call, "binds it as a global variable in a function")
    request = next((n for n in _FREE if code.is_free(n) and n not in work.given), None)
    if request is None:
        raise Stays(call, "uses the name request")
    edits = form.edits(f"{request}.files")
    made_request = f"{request} = {spelling.expression}()"
    if form.has_text:
        start = code.start(statement)
        edits.append(Edit(start, start, made_request + separator(code, statement)))
        edits.append(code.replace(call, f"{request}.params"))
    else:
        edits.append(code.replace(statement, made_request))
    _settle(work, call, variable, form, edits)
    work.given.add(request)
    return Rewritten(spelling.need, edits)


def _settle(
    work: Work, call: cst.Call, variable: Assignment, form: Form, edits: list[Edit]
) -> None:
    """Raise `Stays` for what is known only at the end; report what to check if the form moves."""
    if work.code.loses_comment(edits):
        raise Stays(call, "has a comment inside a use of it")
    if _is_for_others(work.code, variable):
        raise Stays(call, "is a module, from which programs in other directories may take it")
    _tell_unknown(work, call, form)


def _is_for_others(code: Code, variable: Assignment) -> bool:
    """Whether a file is a module and not a script, and the variable is one of the module."""
    if not isinstance(variable.scope, GlobalScope) or code.data.startswith(b"#!"):
        return False
    if any(name.value == "__name__" for name in code.each(cst.Name)):
        return False
    return not any(
        code.source(call.func) in _OUTPUT and isinstance(code.scope(call), GlobalScope)
        for call in code.each(cst.Call)
    )


def _tell_unknown(work: Work, call: cst.Call, form: Form) -> None:
    """Report the fields of a rewritten form of which nothing here shows that they are text."""
    if form.unknown:
        named = ", ".join(form.unknown[:_NAMED])
        named += f" and {len(form.unknown) - _NAMED} more" * (len(form.unknown) > _NAMED)
        text = (
            f"the form has text only now; if a page sends a file in {named}, read it from "
            "request.files instead"
        )
        work.note(work.code.line(call), "check", text)


def _variable(code: Code, statement: cst.Assign) -> Assignment:
    """Return the variable of an assignment; raises `Stays` if it is not bound once."""
    variable = code.assignment(statement.targets[0].target)
    if variable is None:
        raise Stays(statement, "does not keep it in one variable")
    if len(variable.scope.assignments[variable.name]) != 1:
        raise Stays(statement, f"binds {variable.name!r} more than once")
    if isinstance(variable.scope, ClassScope):
        raise Stays(statement, "keeps it in a class")
    return variable


def _keeps_blanks(code: Code, call: cst.Call) -> bool:
    """Return whether the form has blank fields; raises `Stays` for other arguments."""
    keep = False
    for arg in call.args:
        written = code.source(arg.value)
        if arg.keyword is None or arg.keyword.value != "keep_blank_values" or written not in (
            "True", "1", "False", "0"
        ):  # fmt: skip
            raise Stays(call, f"makes it with arguments ({code.source(arg)})")
        keep = written in ("True", "1")
    return keep


def _check_world(work: Work, variable: Assignment) -> None:
    """Raise `Stays` if the program reaches a form or a body in another way."""
    code = work.code
    if code.reflects and isinstance(variable.scope, GlobalScope):
        raise Stays(variable.node, "may reach it by eval, exec, globals, locals or vars")
    if code.reflects:
        raise Stays(variable.node, "may reach it by eval, exec, locals or vars")
    for use in work.uses("cgi", "maxlen"):
        raise Stays(use.node, "sets cgi.maxlen, which Request does not know; see cgikit.Limits")
    _check_input(code)
    for node in code.each(cst.Call):
        is_check = isinstance(node.func, cst.Name) and node.func.value == "isinstance"
        if is_check and len(node.args) == 2 and _KINDS.search(code.source(node.args[1])):
            raise Stays(node, "tests whether a value is a list")
    for comparison in code.each(cst.Comparison):
        left = comparison.left
        if isinstance(left, cst.Call) and code.source(left.func) == "type":
            raise Stays(comparison, "tests the type of a value")


def _check_input(code: Code) -> None:
    for attribute in code.each(cst.Attribute):
        if code.source(attribute) == "sys.stdin":
            raise Stays(attribute, "reads standard input itself")
    for imported in code.each(cst.ImportFrom):
        if imported.module and code.source(imported.module) == "sys" and _takes_stdin(imported):
            raise Stays(imported, "reads standard input itself")


def _takes_stdin(imported: cst.ImportFrom) -> bool:
    if isinstance(imported.names, cst.ImportStar):
        return True
    return any(alias.evaluated_name == "stdin" for alias in imported.names)
