"""The program that the interpreter of a script runs to look at it (`interpreter.py`), as text.

It reads the script as a tree: which modules it imports and where they are found, with the
directories that it puts on `sys.path`; and whether it reads a file and writes it back. It imports and
runs nothing of the script. Where only a run could tell, it says so, or finds nothing.
"""

# Also for old Pythons, which scripts may name. Nothing may be imported from the script's directory, so
# that is not on sys.path until all that this program needs is there. A tree is walked in a loop:
# the sum of a thousand strings is a deep one.
QUESTION = r"""
import sys
if sys.path and sys.path[0] == "":
    del sys.path[0]
    local = [sys.argv[1]]
else:
    local = []  # -I or -P
import ast, json, os, struct, warnings
warnings.simplefilter("ignore")
try:
    from importlib.machinery import PathFinder
except ImportError:
    PathFinder = None
try:
    import resource
    if sys.implementation.name == "cpython":  # others reserve more than they use
        resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
except (ImportError, AttributeError, ValueError, OSError):
    pass
told = {"version": list(sys.version_info[:3]), "program": sys.executable, "error": None, "imports": [],
        "stdlib": sorted(getattr(sys, "stdlib_module_names", ())), "racing": None,
        "uncompiled": [], "unsure": 0}
FOLDER, FILE = sys.argv[1:3]
def last(node):
    # the last word of a.b.c
    return getattr(node, "attr", getattr(node, "id", ""))
def is_function(node):
    return isinstance(node, ast.Lambda) or (
        type(node).__name__ in ("FunctionDef", "AsyncFunctionDef"))
def called(node):
    # the functions that a `with` calls
    return [last(item.context_expr.func) for item in getattr(node, "items", [node])
            if isinstance(item.context_expr, ast.Call)]
def dotted(node):
    words = []
    while isinstance(node, ast.Attribute):
        words.insert(0, node.attr)
        node = node.value
    return ".".join([getattr(node, "id", "")] + words)
def text(node):
    # of a string; None of anything else
    found = getattr(node, "value", getattr(node, "s", None))
    return found if isinstance(found, (type(""), type(u""))) else None
def number(node):
    node = getattr(node, "value", node) if type(node).__name__ == "Index" else node
    return getattr(node, "value", getattr(node, "n", None))
def modules(tree):
    # (top-level name, line, whether a failure is expected)
    waiting = [(tree, False)]
    while waiting:
        node, guarded = waiting.pop()
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name.split(".")[0], node.lineno, guarded
        elif isinstance(node, ast.ImportFrom):
            if not node.level and node.module:
                yield node.module.split(".")[0], node.lineno, guarded
        later = is_function(node) or isinstance(node, ast.If) or (
            type(node).__name__ in ("Try", "TryExcept", "TryStar")) or (
            isinstance(node, ast.With) and "suppress" in called(node))
        below = [(child, guarded or later) for child in ast.iter_child_nodes(node)]
        waiting.extend(reversed(below))
def place(name, directories):
    if name in sys.builtin_module_names:
        return "built-in"
    if PathFinder is None:
        import imp
        try:
            return imp.find_module(name, directories)[1] or "built-in"
        except ImportError:
            return None
    spec = PathFinder.find_spec(name, directories)
    if spec is None:
        return "frozen" if name in sys.modules else None
    if spec.origin:
        return spec.origin
    return list(spec.submodule_search_locations or [""])[0]
def uncompiled(name, source):
    # (name, source, compiled file) of a module beside the script, unless it is compiled and fresh
    from importlib.util import MAGIC_NUMBER, cache_from_source
    folder = os.path.realpath(sys.argv[1]) + os.sep
    if not (source.endswith(".py") and os.path.realpath(source).startswith(folder)):
        return
    status, compiled = os.stat(source), cache_from_source(source)
    try:
        with open(compiled, "rb") as stream:
            head = stream.read(16)
    except EnvironmentError:
        head = b""
    of_source = struct.pack("<LL", int(status.st_mtime) & 0xFFFFFFFF, status.st_size & 0xFFFFFFFF)
    by_hash = head[4:5] in (b"\x01", b"\x03")  # PEP 552
    if head[:4] != MAGIC_NUMBER or not (by_hash or head[8:] == of_source):
        told["uncompiled"].append([name, source, compiled])
SAME = ("Path", "PurePath", "PosixPath", "str", "fspath", "as_posix", "absolute", "abspath",
        "normcase")
def path_of(node, names, depth=0):
    # the path that an expression means, as text; ValueError if only a run can tell
    def sub(other):
        return path_of(other, names, depth + 1)
    if depth > 30:
        raise ValueError
    kind = type(node).__name__
    if text(node) is not None:
        return text(node)
    if kind == "Name":
        if node.id == "__file__":
            return FILE
        if node.id in names:
            return sub(names[node.id])
    elif kind == "BinOp" and isinstance(node.op, ast.Add):
        return sub(node.left) + sub(node.right)
    elif kind == "BinOp" and isinstance(node.op, ast.Div):
        return os.path.join(sub(node.left), sub(node.right))
    elif kind == "JoinedStr":
        return "".join(sub(getattr(part, "value", part) if text(part) is None else part)
                       for part in node.values)
    elif kind == "Attribute":
        if node.attr in ("pardir", "curdir", "sep"):
            return getattr(os, node.attr)
        if node.attr == "parent":
            return os.path.dirname(sub(node.value))
    elif kind == "Subscript":
        index = number(node.slice)
        if dotted(node.value) in ("sys.path", "sys.argv") and index == 0:
            return FOLDER if dotted(node.value) == "sys.path" else FILE
        if last(node.value) == "parents" and isinstance(index, int) and 0 <= index < 50:
            found = sub(node.value.value)
            for _ in range(index + 1):
                found = os.path.dirname(found)
            return found
        if isinstance(node.value, ast.Call) and last(node.value.func) == "split" and index == 0:
            return os.path.dirname(sub(node.value.args[0]))
    elif kind == "Call":
        name = last(node.func)
        of = node.args or [getattr(node.func, "value", None)]
        if name in ("getcwd", "cwd"):
            return FOLDER
        if name == "dirname":
            return os.path.dirname(sub(of[0]))
        if name == "joinpath":
            of = [node.func.value] + list(node.args)
        if name in ("join", "joinpath") or name in SAME:
            return os.path.join(*[sub(each) for each in of])
        if name in ("realpath", "resolve"):
            return os.path.realpath(os.path.join(FOLDER, sub(of[0])))
        if name == "normpath":
            return os.path.normpath(sub(of[0]))
    raise ValueError
def listed(node, aliases):
    # what a list has that takes the place of sys.path, without sys.path itself
    if isinstance(node, (ast.List, ast.Tuple)):
        return node.elts
    if isinstance(node, ast.BinOp):
        return listed(node.left, aliases) + listed(node.right, aliases)
    if isinstance(node, ast.Subscript):
        node = node.value
    return [] if dotted(node) in aliases else [node]
MOVES = ("sys.modules[", "meta_path", "path_hooks", "install_aliases", "compat.install",
         "compat import install", "execfile(", "exec(", "activate_this", "addsitedir",
         "pkg_resources", "pyximport")
def searched(tree, source):
    # directories that the script puts before and behind those of sys.path, and the line of
    # what changes that otherwise (0: none)
    aliases = set(["sys.path"])
    bound, names = {}, {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "sys":
            aliases.update(each.asname or each.name for each in node.names if each.name == "path")
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            bound[node.id] = bound.get(node.id, 0) + 1
    for node in tree.body:
        if isinstance(node, ast.Assign):
            for each in node.targets:
                if isinstance(each, ast.Name) and bound[each.id] == 1:
                    names[each.id] = node.value
    before, behind, unsure = [], [], 0
    for node in ast.walk(tree):
        put, into = [], behind
        if isinstance(node, ast.Call) and dotted(getattr(node.func, "value", None)) in aliases:
            if node.func.attr == "insert":
                into = before
            if node.func.attr in ("insert", "append"):
                put = node.args[-1:]
            elif node.func.attr == "extend" and node.args:
                put = listed(node.args[0], aliases)
        elif isinstance(node, ast.AugAssign) and dotted(node.target) in aliases:
            put = listed(node.value, aliases)
        elif isinstance(node, ast.Assign) and any(
                dotted(each.value if isinstance(each, ast.Subscript) else each) in aliases
                for each in node.targets):
            put, into = listed(node.value, aliases), before
        for each in put:
            try:
                into.append(os.path.normpath(os.path.join(FOLDER, path_of(each, names))))
            except (ValueError, TypeError, IndexError, AttributeError):
                unsure = unsure or node.lineno
    for number, line in enumerate(source.split(b"\n"), 1):
        if any(word.encode("ascii") in line for word in MOVES):
            unsure = unsure or number
    return before, behind, unsure
def moves(source):
    # whether a module of the script's own may change where modules are found
    try:
        if not os.path.realpath(source).startswith(os.path.realpath(FOLDER) + os.sep):
            return False
        with open(source, "rb") as stream:
            code = stream.read(200000)
    except EnvironmentError:
        return False
    return any(word.encode("ascii") in code for word in MOVES + ("sys.path",))
LOCKED = ("acquire", "LockFile")
OF_PATHS = {"read_text": "r", "read_bytes": "r", "write_text": "w", "write_bytes": "w"}
OWN = ("getpid", "mkstemp", "mktemp", "mkdtemp", "TemporaryFile", "TemporaryDirectory", "uuid",
       "next", "pop", "input", "readline", "urandom", "token_hex", "'/dev/", "'/proc/")
def locks(name):
    plain = name.lower().replace("block", "").replace("clock", "")
    return name in LOCKED or "lock" in plain
def walk(tree):
    # each node with where it is: (node above, field of that, where that is)
    waiting = [(tree, None)]
    while waiting:
        node, above = waiting.pop()
        yield node, above
        below = []
        for field, value in ast.iter_fields(node):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    below.append((child, (node, field, above)))
        waiting.extend(reversed(below))
def opened(tree):
    # (line, path as a tree, mode, where) of calls of open and of the methods of a Path;
    # mode "" for a lock
    for node, above in walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", "")
        method = getattr(node.func, "attr", "")
        if locks(name) or locks(method):
            yield node.lineno, node.func, "", above
        elif method in OF_PATHS:
            yield node.lineno, node.func.value, OF_PATHS[method], above
        elif name == "open" and node.args:
            given = node.args[1:2] + [word.value for word in node.keywords if word.arg == "mode"]
            mode = text(given[0]) if given else "r"
            if mode and not isinstance(number(node.args[0]), int):  # a descriptor
                yield node.lineno, node.args[0], mode, above
def from_top(above):
    found = []
    while above:
        found.append(above[:2])
        above = above[2]
    return found[::-1]
def functions(places):
    return [node for node, _ in places if is_function(node)]
class Names:
    # what a function, or the whole script, gives values to: name to [the nodes that do]
    def __init__(self):
        self.known = {}
    def of(self, scope):
        if id(scope) in self.known:
            return self.known[id(scope)]
        found, elsewhere = {}, set()
        for node in ast.walk(scope):
            if isinstance(node, ast.Assign):
                for each in node.targets:
                    if isinstance(each, ast.Name):
                        found.setdefault(each.id, []).append(node.value)
                    else:
                        for inner in ast.walk(each):
                            if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                                found.setdefault(inner.id, []).append(node.value)
            elif isinstance(node, (ast.For, ast.AugAssign)):
                for inner in ast.walk(node.target):
                    if isinstance(inner, ast.Name):
                        found.setdefault(inner.id, []).append(node)
            elif type(node).__name__ == "arg":
                found.setdefault(node.arg, []).append(node)
            elif type(getattr(node, "ctx", None)).__name__ == "Param":  # Python 2
                found.setdefault(node.id, []).append(node)
            elif type(node).__name__ in ("Global", "Nonlocal"):
                elsewhere.update(node.names)
        self.known[id(scope)] = dict((name, given) for name, given in found.items()
                                     if name not in elsewhere)
        return self.known[id(scope)]
def key_of(path, places, tree, names):
    # what makes two expressions the same file; None if that cannot be told
    scopes, shown = [], ast.dump(path)
    for node in ast.walk(path):
        if not isinstance(node, ast.Name):
            continue
        scope, given = None, names.of(tree).get(node.id, [])
        for function in functions(places)[::-1]:
            if node.id in names.of(function):
                scope, given = function, names.of(function)[node.id]
                if node.id in ("self", "cls"):
                    owners = [each for each, _ in places if isinstance(each, ast.ClassDef)]
                    scope = owners[-1] if owners else function
                break
        if scope is None:  # what functions give values to under that name is another thing
            given = [each for each in given if each not in names.inner]
        if len(given) > 1 and node.id not in ("self", "cls"):
            return None
        shown += "".join(ast.dump(each) for each in given if isinstance(each, ast.expr))[:10000]
        scopes.append((node.id, id(scope)))
    if any(word in shown for word in OWN):
        return None
    return ast.dump(path), tuple(scopes)
def leaves(block):
    # whether nothing that stands behind a block is done after it
    end = block[-1]
    return isinstance(end, (ast.Return, ast.Raise, ast.Continue, ast.Break)) or (
        isinstance(end, ast.Expr) and isinstance(end.value, ast.Call)
        and last(end.value.func) in ("exit", "_exit", "abort"))
def together(read, write):
    # whether what is read can be what is written later: not in another branch, nor before a return
    same = functions(read)[-1:] == functions(write)[-1:]
    if not same:
        return True
    fork = 0
    while fork + 1 < min(len(read), len(write)) and read[fork + 1][0] is write[fork + 1][0]:
        fork += 1
    node, of_read, of_write = read[fork][0], read[fork][1], write[fork][1]
    kind = type(node).__name__
    if kind in ("If", "IfExp") and set((of_read, of_write)) == set(("body", "orelse")):
        return False
    if kind in ("Try", "TryExcept", "TryStar") and "handlers" in (of_read, of_write):
        return False
    for node, field in read[fork + 1:]:
        field = "body" if field == "items" else field
        block = getattr(node, field, None)
        if isinstance(block, list) and block and isinstance(block[-1], ast.stmt) and leaves(block):
            return False
    return True
def racing(tree):
    # (line, path as source) of the first file that is written and, by the same expression, read
    calls = list(opened(tree))
    if not calls or not all(mode for _, _, mode, _ in calls):
        return None
    names = Names()
    names.inner = set(given for node in ast.walk(tree) if is_function(node)
                      for each in names.of(node).values() for given in each)
    known = []
    for line, path, mode, above in calls:
        places = from_top(above)
        key = key_of(path, places, tree, names)
        if key:
            known.append((line, key, mode, places, path))
    known.sort(key=lambda call: call[0])
    used = set(node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute))
    both = used & set(("write", "writelines", "dump")) and used & set(
        ("read", "readline", "readlines", "load"))
    for line, key, mode, places, path in known:
        before = [read for at, other, how, read, _ in known
                  if other == key and how[:1] == "r" and "+" not in how and together(read, places)
                  and (at <= line or functions(read)[-1:] != functions(places)[-1:])]
        if (mode[:1] == "w" and before) or (mode[:1] == "r" and "+" in mode and both):
            return line, ast.unparse(path)[:200] if hasattr(ast, "unparse") else "a file"
try:
    with open(sys.argv[2], "rb") as stream:
        source = stream.read(int(sys.argv[3]) + 1)
    if len(source) > int(sys.argv[3]):
        sys.exit(1)
    compile(source, sys.argv[2], "exec", 0, True)
    tree = compile(source, sys.argv[2], "exec", ast.PyCF_ONLY_AST, True)
    before, behind, told["unsure"] = searched(tree, source)
    for name, line, guarded in modules(tree):
        where = place(name, before + local + sys.path + behind)
        told["imports"].append([name, line, guarded, where])
        if not told["unsure"] and where and moves(where):
            told["unsure"] = line
    try:
        for name, where in sorted(set((each[0], each[3]) for each in told["imports"] if each[3])):
            uncompiled(name, where)
    except (ImportError, NotImplementedError, EnvironmentError):
        pass  # an old Python, or one that keeps nothing compiled
    try:
        if not any(word.encode("ascii") in source for word in sys.argv[4].split()):
            told["racing"] = racing(tree)
    except (RuntimeError, MemoryError, ValueError):
        pass  # nested too deeply
except SyntaxError as error:
    told["error"] = [error.lineno or 0, error.msg or str(error), error.text or ""]
except MemoryError:
    sys.exit(1)  # the limit above, perhaps: that says nothing of the script
except (ValueError, UnicodeError, RuntimeError, TypeError) as error:
    told["error"] = [0, str(error) or type(error).__name__, ""]
out = json.dumps(told)
sys.stdout.write(out)
"""
