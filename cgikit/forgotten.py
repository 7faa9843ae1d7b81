"""Whether a script that printed nothing has a handler that nobody calls: `run(hello)` was forgotten.

Called only after a script was silent. It reads the source as a tree, and runs nothing.
"""

import os

from .regularfile import open_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ast

_MOST = 1_000_000  # bytes of a source that are read
#: What calls a handler.
_CALLING = ("run", "WSGI")


def forgotten_handler(file: str, certain: bool = False) -> tuple[str, str]:
    """Return the name of the function that looks like the handler of a script, and the last lines that
    the script lacks; ("", "") if it has none, if something calls it, or if it is not Python.

    `certain` is for those who cannot know that the script was silent, since other programs may have
    printed for it. It asks for more: the argument is called request or `run` is imported, and nothing
    in the script names the function.
    """
    import ast

    try:
        with open(open_regular(file, follow=True, patience=0), "rb") as script:
            tree = ast.parse(script.read(_MOST))
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return "", ""
    imported = _imported(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node.func) in _CALLING:
            return "", ""
    handlers = [
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and _takes_a_request(node, bool(imported))
    ]
    if certain:
        handlers = _certain(tree, handlers, "run" in imported)
    if not handlers:
        return "", ""
    name = handlers[-1].name
    first = "" if "run" in imported else "from cgikit import run; "
    return name, f"{first}run({name})"


def advice(file: str, certain: bool = False) -> tuple[str, str]:
    """Return what is wrong with a script that lacks the call of its handler, and what to do; ("", "")
    if that is not what is wrong. `certain` is as for `forgotten_handler`.
    """
    name, line = forgotten_handler(file, certain)
    if not name:
        return "", ""
    script = os.path.basename(file)
    return (
        f"{script} printed nothing: it defines {name}, and does not call run({name}).",
        f"Add a last line to {script}: {line}",
    )


def _imported(tree: "ast.Module") -> set[str]:
    """Return the names that a script imports from cgikit, and "cgikit" for any import of it."""
    import ast

    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "cgikit":
            found |= {"cgikit", *(alias.name for alias in node.names)}
        elif isinstance(node, ast.Import):
            found |= {"cgikit" for alias in node.names if alias.name.partition(".")[0] == "cgikit"}
    return found


def _certain(
    tree: "ast.Module", handlers: "list[ast.FunctionDef]", imports_run: bool
) -> "list[ast.FunctionDef]":
    """Return those of the handlers that can be nothing else, and that nothing names."""
    import ast

    named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return [
        handler
        for handler in handlers
        if handler.name not in named
        and (imports_run or [*handler.args.posonlyargs, *handler.args.args][0].arg == "request")
    ]


def _takes_a_request(function: "ast.FunctionDef", of_cgikit: bool) -> bool:
    """Whether a function takes one argument, which is a request by its name, or by the imports."""
    given = function.args
    arguments = [*given.posonlyargs, *given.args]
    required = len(arguments) - len(given.defaults)
    if required != 1 or any(default is None for default in given.kw_defaults):
        return False
    return arguments[0].arg == "request" or (of_cgikit and not function.name.startswith("_"))


def _name(called: "ast.expr") -> str:
    import ast

    if isinstance(called, ast.Attribute):
        return called.attr
    return called.id if isinstance(called, ast.Name) else ""
