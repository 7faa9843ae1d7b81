"""The house keeps its shape: layers, who touches the world, sizes, docstrings, names.

The tables come first: they are the architecture, docs/understand/architecture.md explains them.
Each rule is tested twice, once on the library and once on a bad snippet that it must catch.
"""

import re
import subprocess
from collections.abc import Callable

import house
import pytest
from house import PACKAGE, ROOT, Module
from requirement import need

import cgikit

#: Who may import whom: only rooms in the same layer or further up in this list. A room is a module
#: or a sub-package. Imports inside functions count, and so do those for type checkers; no
#: import may close a circle, not even one of types alone.
LAYERS = (
    {"errors", "leaving", "limits", "pushparser", "status", "waiting"},
    {
        "characters",
        "charsets",
        "dates",
        "headers",
        "html",
        "maskedenviron",
        "multidict",
        "requestheaders",
    },
    {
        "accept",
        "appendix",
        "authorization",
        "cookies",
        "delimiters",
        "masking",
        "multipart",
        "obstacle",
        "parameters",
        "partheader",
        "process",
        "querystring",
        "regularfile",
        "savedfields",
        "signing",
        "upload",
    },
    {
        "body",
        "compression",
        "environ",
        "events",
        "filebody",
        "formbody",
        "formparts",
        "nph",
        "push",
        "redirect",
        "response",
        "streamed",
        "url",
    },
    {
        "counters",
        "expiring",
        "expiringfile",
        "fields",
        "files",
        "forgotten",
        "inspection",
        "htpasswd",
        "jsonfile",
        "lines",
        "locks",
        "logfile",
        "request",
        "sessions",
    },
    {"gateway"},
    {
        "crash",
        "debug",
        "debugframes",
        "debugpage",
        "guard",
        "knownsecrets",
        "offline",
        "persistent",
        "runner",
        "script",
        "uncaught",
        "wsgi",
    },
    {"checking", "vendored"},
    {"host", "migrate"},
    {
        "bundle",
        "bundling",
        "probing",
        "starters",
        "inspector",
        "testing",
        "tracing",
        "vendoring",
        "warm",
    },
    {"accelerate"},
    {"__main__", "cli", "compat"},
)

#: The layers inside a package, from the bottom up. A module imports those further down, for types too.
INNER_LAYERS = {
    "accelerate": (
        "command",
        "directory inplace likeness machine message records",
        "scripts",
        "child ledger perlfront pythonfront trial",
        "daemon installation",
        "carried gain standing",
        "carriedfront",
    ),
    "checking": (
        "account finding question",
        "firstline htaccess report",
        "exposed identity interpreter permissions",
        "compiled mending modules racing",
        "script",
    ),
    "probing": ("importtime", "sample reuse", "judge", "checkup"),
    "tracing": (
        "asking dialogue server style way",
        "step",
        "comparison events folding story",
        "sitetime svg",
        "dialoguepage icicle legend measure",
        "text",
        "html measured",
    ),
    "fields": (
        "inputtypes messages",
        "declared",
        "faults",
        "controls",
        "choices inputs forms",
        "conversion",
        "checking",
    ),
    "host": (
        "background executor logtext native problem rules servertiming statictypes value whereabouts",
        "argv diagnosis execlimits guard output path refusals spawn text",
        "environ headerblock listing",
        "othersites page",
        "answer static",
        "wsgi",
    ),
    "inspector": (
        "access exchange maskedbody style",
        "hiding markup recorder",
        "commands listpage parts",
        "asking savedtest",
        "editpage replaying requestpage saving sourcepage",
        "application",
    ),
    "warm": (
        # Values, codecs, single rules
        "allowlist arrival baseline caches errorstream exchangestate extensions header interpreter",
        "loglines messages outbox program requestfile restarts settings slottable state streams",
        "surroundings",
        "compiling kinds loop inhand requestvariables staleness",
        "trial",
        # The process that forks
        "preload rehearsal target",
        "reuse",
        "zygote",
        # What a worker has one of: connections, places, the way to its zygote
        "acceptor connection launcher zygoteclient",
        "connections kept places",
        # One request
        "exchangehost",
        "child",
        "ending",
        "reply",
        "exchange",
        # Processes, put together
        "worker workerprocess",
        "supervisor",
        "remote",
    ),
}

#: Imports that no layer explains: the two roles of a server, and the old signatures.
FORBIDDEN = (("gateway", "host"), ("gateway", "warm"), ("*", "compat"))

#: Rooms that may touch the process and the machine: the environment, standard streams, files,
#: sockets, other processes. All others are values in, values out.
WORLDLY = {
    "",  # the package itself loads its modules
    "__main__",
    "accelerate",
    "body",
    "bundle",
    "bundling",
    "checking",
    "cli",
    "compat",
    "counters",
    "debug",
    "expiring",
    "filebody",
    "files",
    "forgotten",
    "gateway",
    "host",
    "htpasswd",
    "inspector",
    "jsonfile",
    "knownsecrets",
    "leaving",
    "lines",
    "locks",
    "logfile",
    "masking",
    "migrate",
    "obstacle",
    "offline",
    "persistent",
    "probing",
    "process",
    "regularfile",
    "runner",
    "script",
    "sessions",
    "starters",
    "testing",
    "tracing",
    "uncaught",
    "upload",
    "vendored",
    "vendoring",
    "warm",
}

#: Modules that import by a computed name, each with the reason.
COMPUTED_IMPORTS = {
    "": "the face imports each public name on first use",
    "compat.cgi": "names of the old module that few scripts use are imported on first use",
    "compat.finder": "it imports what is asked for by an old name",
    "compat.onpath.cgi": "one file for two names",
    "compat.onpath.cgitb": "one file for two names",
    "fields": "its face imports each public name on first use",
    "testing": "its face imports each public name on first use",
    "warm.preload": "it imports what scripts were seen to import",
    "warm.trial": "it imports them in a child first",
    "pushparser": "what its parser imports and rarely uses is put off until it is used",
}

#: What `cgikit config` prints for each server is read in one test file, tests/cli/test_cli_config.py.
PRINTERS = "cli.config."

CLIENT = "a part of `Client`, asked through it in test_testing.py"

#: Modules without a test file of their own, each with the reason. At most a dozen.
TESTED_ELSEWHERE = {
    "cli.vendor": "a command of three lines, in test_cli_oldnames.py",
    "compat.onpath.cgi": "one file under two names, in test_compat_onpath.py",
    "compat.onpath.cgitb": "the other one",
    "testing.answer": CLIENT,
    "testing.client": CLIENT,
    "testing.environment": CLIENT,
    "testing.handlers": CLIENT,
    "testing.plugin": CLIENT,
    "testing.scripts": CLIENT,
}

#: Functions over 50 lines, each with the reason why it is not two.
LONG_FUNCTIONS: dict[str, str] = {}

#: Names that say nothing about what is inside.
VAGUE = {"utils", "util", "helpers", "helper", "misc", "common", "manager", "core", "base"}

#: Paths of one machine, and hosts that packages come from. Written so as not to find themselves.
FOREIGN = re.compile(
    r"(?<![\w.$}>-])/(?:root|work|home/\w+|Users/\w+)(?![\w-])|(?:pypi|pythonhosted|npmjs)\.(?:org)\b"
)

MODULES = house.read()


def snippet(source: str, name: str = "snippet") -> Module:
    """A module that is nowhere on disk."""
    return Module(name, source)


def test_the_library_was_read() -> None:
    assert {"errors", "limits", ""} <= {module.name for module in MODULES}


# --- layers -----------------------------------------------------------------------------------


def test_imports_point_down() -> None:
    assert house.wrong_arrows(house.arrows(MODULES), LAYERS) == []


def test_imports_make_no_circle() -> None:
    assert house.cycles(house.arrows(MODULES)) == []


def test_roles_do_not_know_each_other() -> None:
    assert house.forbidden_arrows(house.arrows(MODULES), FORBIDDEN) == []


def test_imports_can_be_read() -> None:
    found = {m.name for m in MODULES if house.hidden_imports(m)}
    assert found == set(COMPUTED_IMPORTS)


FACE = Module("", '_MODULE_OF = {"Response": "response"}', is_package=True)


@pytest.mark.parametrize(
    "source",
    [
        "from .response import Response",
        "from . import response",
        "from cgikit.response import Response",
        "from cgikit import response",
        "from cgikit import Response",
        "import cgikit.response",
        "def lazy():\n    from .response import Response",
        "if TYPE_CHECKING:\n    from .response import Response",
    ],
)
def test_an_arrow_that_points_up_is_found(source: str) -> None:
    modules = [FACE, snippet(source, "errors"), snippet("", "response")]
    (complaint,) = house.wrong_arrows(house.arrows(modules), LAYERS)
    assert complaint.startswith("errors:")
    assert "imports response" in complaint


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("host.spawn", "from ..response import Response"),
        ("host.spawn", "from .. import response"),
        ("host", "from ..response import Response"),
    ],
)
def test_arrows_out_of_a_package_are_read(name: str, source: str) -> None:
    modules = [FACE, Module(name, source, is_package=name == "host"), snippet("", "response")]
    assert [(a.source, a.target) for a in house.arrows(modules)] == [(name, "response")]


def test_a_module_that_no_layer_knows_is_found() -> None:
    modules = [snippet("from .errors import CGIError", "newcomer"), snippet("", "errors")]
    assert house.wrong_arrows(house.arrows(modules), LAYERS) == ["newcomer is in no layer"]


def test_a_circle_is_found() -> None:
    modules = [
        snippet("from .b import x", "a"),
        snippet("from .c import x", "b"),
        snippet("def lazy():\n    from .a import x", "c"),
    ]
    assert house.cycles(house.arrows(modules)) == ["a -> b -> c -> a"]


def test_naming_a_type_closes_a_circle() -> None:
    """The six modules of the warm engine's worker were tied by types, and could not be read alone."""
    modules = [
        snippet("from .b import x", "a"),
        snippet("if TYPE_CHECKING:\n    from .a import x\nelse:\n    import y", "b"),
    ]
    assert house.cycles(house.arrows(modules)) == ["a -> b -> a"]


def inner_layers(package: str) -> dict[str, int]:
    """The layer of each module of a package, by name."""
    return {
        f"{package}.{name}": level
        for level, names in enumerate(INNER_LAYERS[package])
        for name in names.split()
    }


@pytest.mark.parametrize("package", sorted(INNER_LAYERS))
def test_imports_point_down_inside_a_package_too(package: str) -> None:
    """Those for types alone as well."""
    level = inner_layers(package)
    present = {m.name for m in MODULES if m.name.startswith(f"{package}.")}
    assert set(level) == present
    wrong = [
        f"{arrow.source}:{arrow.line} imports {arrow.target}"
        for arrow in house.arrows(MODULES)
        if arrow.source in level
        and arrow.target in level
        and level[arrow.target] >= level[arrow.source]
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("gateway.fastcgi", "from ..host.spawn import x"),
        ("response", "from .compat.cgi import x"),
    ],
)
def test_a_forbidden_arrow_is_found(name: str, source: str) -> None:
    others = [snippet("", n) for n in ("host.spawn", "gateway.fastcgi", "compat.cgi") if n != name]
    found = house.arrows([snippet(source, name), *others])
    assert len(house.forbidden_arrows(found, FORBIDDEN)) == 1


def test_a_computed_import_is_found() -> None:
    assert house.hidden_imports(snippet('x = __import__("os" + "x")'))


# --- the outside world ------------------------------------------------------------------------


def test_only_named_modules_touch_the_world() -> None:
    assert [c for m in MODULES if house.room(m.name) not in WORLDLY for c in house.world(m)] == []


@pytest.mark.parametrize(
    "source",
    [
        "x = os.environ",
        "from os import environ",
        "x = os.getenv('A')",
        "x = sys.stdin.buffer",
        "from sys import stdout",
        "x = sys.argv[1:]",
        "open('x')",
        "print(1)",
        "import subprocess",
        "from socket import socket",
        "def lazy():\n    import tempfile",
        "os.stat('x')",
        "os.path.exists('x')",
    ],
)
def test_a_touch_of_the_world_is_found(source: str) -> None:
    assert len(house.world(snippet(source))) == 1


def test_pure_pieces_of_os_are_no_touch() -> None:
    assert (
        house.world(snippet("os.fsdecode(x); os.path.basename(x); os.O_RDONLY; file.open()")) == []
    )


# --- names, sizes, words ----------------------------------------------------------------------


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name or "__init__")
def test_every_public_name_has_a_docstring(module: Module) -> None:
    assert house.undocumented(module) == []


@pytest.mark.parametrize(
    "source",
    [
        "def f(): ...",
        '"""Doc."""\nclass C: ...',
        '"""Doc."""\nclass C:\n """Doc."""\n def m(s): ...',
    ],
)
def test_a_missing_docstring_is_found(source: str) -> None:
    assert house.undocumented(snippet(source))


def test_private_and_local_names_need_no_docstring() -> None:
    source = '"""Doc."""\ndef _f(): ...\ndef g():\n """Doc."""\n def local(): ...'
    assert house.undocumented(snippet(source)) == []


def test_modules_stay_under_500_lines() -> None:
    assert [(m.name, m.lines) for m in MODULES if m.lines >= 500] == []


def test_functions_stay_under_50_lines() -> None:
    assert [c for m in MODULES for c in house.long_functions(m, LONG_FUNCTIONS)] == []


def test_exceptions_to_the_length_are_needed() -> None:
    listed = {c.split(":")[0] for m in MODULES for c in house.long_functions(m, {})}
    assert set(LONG_FUNCTIONS) - listed == set()


def test_a_long_function_is_found_and_its_docstring_not_counted() -> None:
    body = "    x = 1\n" * 50
    assert house.long_functions(snippet(f"def f():\n{body}"), {}) == ["snippet.f: 51 lines"]
    assert house.long_functions(snippet(f"def f():\n{body}"), {"snippet.f": "a reason"}) == []
    documented = f'def f():\n    """A\n\n    B\n    """\n{body[:-10]}'
    assert house.long_functions(snippet(documented), {}) == []


def test_modules_are_named_for_what_they_hold() -> None:
    assert [m.name for m in MODULES if VAGUE & set(m.name.split("."))] == []


def test_nothing_outlives_a_request_by_accident() -> None:
    assert [c for m in MODULES for c in house.mutable_globals(m)] == []


@pytest.mark.parametrize(
    "source",
    [
        "cache = {}",
        "_cache: dict[str, str] = {}",
        "seen = set()",
        "x = [i for i in y]",
        "def f():\n    global g\n    g = 1",
        "if a:\n    x = collections.deque()",
    ],
)
def test_a_mutable_global_is_found(source: str) -> None:
    assert house.mutable_globals(snippet(source))


def test_tables_and_class_attributes_are_no_mutable_globals() -> None:
    source = "_TABLE = {1: 2}\n__all__ = ['a']\nx = (1,)\nclass C:\n    y = []"
    assert house.mutable_globals(snippet(source)) == []


def test_no_module_imports_the_future() -> None:
    assert [c for m in MODULES for c in house.future_annotations(m)] == []
    assert house.future_annotations(snippet("from __future__ import annotations"))


# --- the face ---------------------------------------------------------------------------------


def test_the_face_is_small_and_every_name_on_it_leads_somewhere() -> None:
    assert len(cgikit.__all__) <= 36
    assert [name for name in cgikit.__all__ if getattr(cgikit, name, None) is None] == []


def test_type_checkers_see_the_same_face() -> None:
    (face,) = [module for module in MODULES if module.name == ""]
    under_type_checking = set(
        re.findall(r"^    from \.[\w.]+ import (\w+) as \1$", face.source, re.M)
    )
    assert under_type_checking == set(cgikit.__all__)


# --- the whole tree ---------------------------------------------------------------------------


def tracked_texts() -> dict[str, str]:
    """Every tracked file that is text, by name."""
    # A clone may belong to another user than the one who tests it.
    git = [need("git"), "-c", "safe.directory=*", "-C", str(ROOT), "ls-files", "-z"]
    names = subprocess.run(git, capture_output=True, check=True, text=True).stdout.split("\0")
    texts = {}
    for name in filter(None, names):
        path = ROOT / name
        content = path.read_bytes() if path.is_file() else b"\0"
        if b"\0" not in content:
            texts[name] = content.decode("utf-8", errors="replace")
    return texts


def test_the_tree_speaks_of_the_project_alone() -> None:
    assert house.matches(FOREIGN, tracked_texts()) == []


@pytest.mark.parametrize(
    "text", ["cd /" + "root/x", "'/" + "work/main'", "/ho" + "me/jo/x", "https://py" + "pi.org/x"]
)
def test_a_foreign_path_is_found(text: str) -> None:
    assert house.matches(FOREIGN, {"file": text}) == [f"file:1 {text}"]


@pytest.mark.parametrize(
    "text", ["a/root/b", "$root/x", "the /workers page", "~/.config", "/home/"]
)
def test_other_paths_are_fine(text: str) -> None:
    assert house.matches(FOREIGN, {"file": text}) == []


def test_every_module_has_a_test_file_of_its_own() -> None:
    found = set(house.without_mirror(MODULES, ROOT / "tests"))
    assert {name for name in found if not name.startswith(PRINTERS)} == set(TESTED_ELSEWHERE)
    assert len(TESTED_ELSEWHERE) <= 12


def test_a_module_without_a_test_file_is_found(tmp_path) -> None:
    modules = [snippet("", "noun"), snippet("", "host.verb"), Module("host", "", is_package=True)]
    assert house.without_mirror(modules, tmp_path) == ["noun", "host.verb"]
    for name in ("test_noun.py", "test_host_verb.py"):
        (tmp_path / name).touch()
    assert house.without_mirror(modules, tmp_path) == []


def test_the_measured_row_is_made_of_numbers() -> None:
    done: Callable[[list[Module]], str] = house.measured
    row = done(MODULES).splitlines()[-1]
    assert re.fullmatch(r"\| \d+ \|.*\| \d+ % \| \d\.\d\d \|", row)
    assert PACKAGE.is_dir()
