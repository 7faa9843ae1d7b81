"""The documentation is true: its code runs and prints what it says, its links lead somewhere, and
every public name, module and limit is in it.

How code in README.md and docs/**/*.md is taken:

- a `python` block with `>>>` is a doctest; those of one page run one after the other, in one space;
- a `python` block that answers a request (`run(…)` or `.send()`) is a script. It takes the name that
  the next block gives it. That is a `console` block, whose commands are run and whose output is
  compared, or pairs of `http` blocks: a request, and what the script writes as a CGI child;
- any other `python` block is a program that must end without an error.

A block that begins with `# name.py` is also beside all others of its folder, which may import it.

`…` in expected output stands for anything. Commands, configurations and all other blocks are run by
test_docs_commands.py, or listed there with the reason why not.
"""

import ast
import doctest
import importlib
import inspect
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import house
import pytest
from house import PACKAGE, ROOT
from requirement import need
from test_house import LAYERS

import cgikit
from cgikit.compat import cgi as compat_cgi
from cgikit.limits import Limits

DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"  # where each module has its page
TOP = [ROOT / name for name in ("README.md", "CHANGELOG.md", "SECURITY.md")]
PAGES = [*TOP, *sorted(DOCS.rglob("*.md"))]
RUN_LIMIT = 120  # seconds until a block that hangs is ended


def title(page: Path) -> str:
    """What a page is called in the tables and messages of the tests: its path below docs."""
    return page.relative_to(DOCS if page.is_relative_to(DOCS) else ROOT).as_posix()


@dataclass(frozen=True)
class Block:
    """A fenced code block: the page, the line it begins in, its language and its text."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{title(self.page)}:{self.line}"

    @property
    def is_script(self) -> bool:
        answers = re.search(r"^ *run\(|\.send\(", self.text, re.M)
        return self.language == "python" and bool(answers) and not self.is_doctest

    @property
    def proves_a_script(self) -> bool:
        """Whether it may show what the script before it answers."""
        configures = self.text.startswith("$ cgikit config")
        return self.language == "http" or (self.language == "console" and not configures)

    @property
    def is_doctest(self) -> bool:
        return self.language == "python" and self.text.startswith(">>> ")


def blocks(page: Path) -> list[Block]:
    found: list[Block] = []
    opened: tuple[int, str] | None = None
    lines: list[str] = []
    for number, line in enumerate(page.read_text().splitlines(), 1):
        if opened is None and line.startswith("```"):
            opened, lines = (number, line[3:].strip()), []
        elif opened is not None and line == "```":
            found.append(Block(page, opened[0], opened[1], "\n".join(lines) + "\n"))
            opened = None
        else:
            lines.append(line)
    assert opened is None, f"{page.name}:{opened}: a code block is not closed"
    return found


ALL = [block for page in PAGES for block in blocks(page)]


def examples() -> Iterator[tuple[Block, list[Block]]]:
    """Each script with the console and http blocks that follow it."""
    for page in PAGES:
        script: Block | None = None
        proofs: list[Block] = []
        for block in blocks(page):
            if script is not None and block.proves_a_script:
                proofs.append(block)
                continue
            if script is not None:
                yield script, proofs
            script, proofs = (block, []) if block.is_script else (None, [])
        if script is not None:
            yield script, proofs


EXAMPLES = list(examples())


def put_beside(page: Path, directory: Path) -> None:
    """Write the blocks of a page's folder that say which file they are."""
    for block in ALL:
        name = re.match(r"(?:#!.*\n)?# ([\w-]+\.py)\n", block.text)
        if name and block.language == "python" and block.page.parent == page.parent:
            (directory / name[1]).write_text(block.text)


def matches(expected: str, got: str) -> bool:
    """Whether the output is the one expected, where `…` stands for anything."""
    pattern = ".*".join(re.escape(piece) for piece in expected.strip().split("…"))
    return re.fullmatch(pattern, got.strip(), re.S) is not None


class Checker(doctest.OutputChecker):
    """Doctest's comparison, with this file's `…`."""

    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        return matches(want, got)


# --- code --------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=title)
def test_what_the_prompt_shows_is_true(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    space: dict[str, object] = {}
    runner = doctest.DocTestRunner(Checker(), verbose=False)
    for block in (block for block in blocks(page) if block.is_doctest):
        test = doctest.DocTestParser().get_doctest(
            block.text, space, str(block), str(page), block.line
        )
        report: list[str] = []
        runner.run(test, out=report.append, clear_globs=False)
        space = test.globs
        assert not report, "".join(report)


@pytest.mark.parametrize(("script", "proofs"), EXAMPLES, ids=[str(s) for s, _ in EXAMPLES])
def test_scripts_answer_as_shown(script: Block, proofs: list[Block], tmp_path: Path) -> None:
    assert proofs, f"{script}: no console or http block follows that would show what it answers"
    put_beside(script.page, tmp_path)
    (tmp_path / script_name(proofs)).write_text(script.text)
    http = [block for block in proofs if block.language == "http"]
    assert len(http) % 2 == 0, f"{script}: a request without an answer"
    for request, answer in zip(http[::2], http[1::2], strict=True):
        got = as_cgi(tmp_path, request.text)
        assert matches(answer.text, got), f"{answer}: got\n{got}"
    for console in (block for block in proofs if block.language == "console"):
        check_console(console, tmp_path)


def script_name(proofs: list[Block]) -> str:
    """The name of a script, which the first block that shows what it answers gives it."""
    names = re.findall(r"[\w-]+\.py", proofs[0].text)
    assert names, f"{proofs[0]}: names no script"
    return str(names[0])


def as_cgi(directory: Path, request: str) -> str:
    """Run the script that a request names, as a server does, and return what it writes."""
    head, _, body = request.partition("\n\n")
    first, *fields = head.splitlines()
    method, target = first.split()
    path, _, query = target.partition("?")
    name, _, rest = path.removeprefix("/").partition("/")
    environ = {
        "GATEWAY_INTERFACE": "CGI/1.1",
        "PATH": os.environ["PATH"],
        "PATH_INFO": "/" + rest if rest else "",
        "QUERY_STRING": query,
        "REMOTE_ADDR": "192.0.2.7",
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "/" + name,
        "SERVER_NAME": "example.org",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_SOFTWARE": "docs",
    }
    for field in fields:
        key, _, value = field.partition(": ")
        variable = key.upper().replace("-", "_")
        environ[variable if variable == "CONTENT_TYPE" else "HTTP_" + variable] = value
    data = body.encode()
    if "multipart/" in environ.get("CONTENT_TYPE", ""):
        data = data.replace(b"\n", b"\r\n")
    elif data:
        data = data.removesuffix(b"\n")
    if data:
        environ["CONTENT_LENGTH"] = str(len(data))
    done = subprocess.run(
        [sys.executable, name],
        cwd=directory, env=environ, input=data, capture_output=True, timeout=RUN_LIMIT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().replace("\r\n", "\n")


def check_console(console: Block, directory: Path) -> None:
    assert console.text.startswith("$ "), f"{console}: begins with no command"
    for program in re.findall(r"(?:^\$ |\| )(htpasswd|openssl|sqlite3)\b", console.text, re.M):
        need(program)
    environ = {k: v for k, v in os.environ.items() if k != "REQUEST_METHOD"}
    environ["PATH"] = f"{Path(sys.executable).parent}:{environ['PATH']}"
    for part in console.text.removeprefix("$ ").split("\n$ "):
        command, _, expected = part.partition("\n")
        done = subprocess.run(
            ["sh", "-c", command], cwd=directory, env=environ, timeout=RUN_LIMIT,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        assert matches(expected, done.stdout), f"{console}: $ {command} printed\n{done.stdout}"


PROGRAMS = [
    b for b in ALL if b.language == "python" and not b.is_script and not b.is_doctest
]  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS, ids=str)
def test_programs_end_without_an_error(program: Block, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples" / "cgi-bin", tmp_path / "cgi-bin")
    if program.page.with_suffix("").is_dir():  # the files of the page
        shutil.copytree(program.page.with_suffix(""), tmp_path, dirs_exist_ok=True)
    for script, proofs in EXAMPLES:
        if script.page == program.page:  # which a program may import
            (tmp_path / script_name(proofs)).write_text(script.text)
    put_beside(program.page, tmp_path)
    (tmp_path / "program.py").write_text(program.text)
    done = subprocess.run(
        [sys.executable, "program.py"],
        cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=RUN_LIMIT,
    )  # fmt: skip
    assert done.returncode == 0, f"{program}: {done.stderr}"


def test_every_python_block_is_run_in_one_way() -> None:
    python = [block for block in ALL if block.language == "python"]
    assert len(python) > 30
    for block in python:
        assert ">>>" not in block.text or block.is_doctest, f"{block}: must begin with >>>"


def test_a_wrong_output_would_be_seen() -> None:
    assert matches("a…z", "a long way to z\n")
    assert not matches("a…z", "a long way to y")
    assert not matches("a.z", "abz")


# --- links -------------------------------------------------------------------------------------


def slug(heading: str) -> str:
    """The anchor of a heading, as forges make it."""
    plain = re.sub(r"[^\w\- ]", "", heading.replace("`", "").strip().lower())
    return plain.replace(" ", "-")


def anchors(page: Path) -> set[str]:
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.M | re.S)
    return {slug(heading) for heading in re.findall(r"^#+ (.*)$", text, re.M)}


def links(page: Path) -> list[str]:
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.M | re.S)
    text = re.sub(r"`[^`\n]*`", "", text)
    return re.findall(r"\]\(([^)\s]+)\)", text)


LINKING = [*PAGES, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "benchmarks").glob("*.md"))]


@pytest.mark.parametrize("page", LINKING, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    wrong = []
    for link in links(page):
        if link.startswith(("https://", "http://")):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            wrong.append(link)
    assert wrong == []


# --- completeness ------------------------------------------------------------------------------


def code_words(page: Path) -> set[str]:
    """Every word in the code blocks and code spans of a page."""
    text = page.read_text()
    fenced = re.findall(r"^```.*?^```$", text, re.M | re.S)
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S))
    return set(re.findall(r"\w+", " ".join(fenced + spans)))


def page_of(name: str) -> Path:
    return REFERENCE / page_name(cgikit._MODULE_OF[name])


def page_name(module: str) -> str:
    """The page of a module: its own, or that of its sub-package."""
    return module.split(".")[0] + ".md"


@pytest.mark.parametrize("name", sorted(cgikit.__all__))
def test_every_public_name_has_its_place(name: str) -> None:
    headings = re.findall(r"^#+ .*|^\| `.*", page_of(name).read_text(), re.M)
    assert any(re.search(rf"`{name}\b", heading) for heading in headings), (
        f"{page_of(name).name} has no heading and no table row for {name}"
    )


def is_method(value: object) -> bool:
    return inspect.isfunction(value) or isinstance(value, classmethod)


def members(name: str) -> Iterator[tuple[str, str]]:
    """The public attributes and the arguments of a public name, each with the page it belongs to."""
    thing = getattr(cgikit, name)
    if not inspect.isclass(thing):
        for argument in inspect.signature(thing).parameters:
            yield page_of(name).name, argument
        return
    for ancestor in thing.__mro__:
        if not ancestor.__module__.startswith("cgikit."):
            continue
        page = page_name(ancestor.__module__.removeprefix("cgikit."))
        for member, value in vars(ancestor).items():
            if member == "__init__" or (not member.startswith("_") and is_method(value)):
                function = value.__func__ if isinstance(value, classmethod) else value
                for argument in inspect.signature(function).parameters:
                    if argument not in {"self", "cls"}:
                        yield page, argument
            if not member.startswith("_"):
                yield page, member


@pytest.mark.parametrize("name", sorted(cgikit.__all__))
def test_every_attribute_and_argument_is_documented(name: str) -> None:
    missing = [(p, m) for p, m in members(name) if m not in code_words(REFERENCE / p)]
    assert missing == []


ROLES = (
    "accelerate",
    "cli",
    "host",
    "inspector",
    "migrate",
    "testing",
    "warm",
)  # sub-packages: one row and one page each
MODULES = [
    *ROLES,
    "gateway",
    "persistent",
    "sessions",
    *sorted(p.stem for p in PACKAGE.glob("*.py") if not p.stem.startswith("__")),
]


@pytest.mark.parametrize("module", MODULES)
def test_every_module_is_found_from_the_index(module: str) -> None:
    index = read("reference/index.md")
    rows = re.findall(rf"^\| `{module}` \| .*\[[^]]+\]\(([\w./-]+)[^)]*\)", index, re.M)
    assert rows, f"docs/reference/index.md has no row for {module}"
    page = REFERENCE / rows[0]
    named = module in code_words(page) or page.read_text().startswith(f"# {module}:")
    assert named, f"{page.name} does not name {module}"


def test_every_module_with_public_names_has_a_page() -> None:
    assert {
        m for m in cgikit._MODULE_OF.values() if not (REFERENCE / page_name(m)).exists()
    } == set()


def targets(page: Path) -> set[Path]:
    """The files that a page links to."""
    local = (link.partition("#")[0] for link in links(page) if "://" not in link)
    return {(page.parent / link).resolve() for link in local if link}


def test_every_page_is_one_or_two_clicks_from_the_index() -> None:
    """One from the index, or from the index of a folder that is linked there."""
    index = DOCS / "index.md"
    found = targets(index)
    for page in sorted(found):
        if page.name == "index.md" or page.name == "find.md":
            found |= targets(page)
    missing = set(DOCS.rglob("*.md")) - found - {index}
    listed = {p for p in missing if p.parent.name == "perl"}  # docs/from/perl.md has them
    assert listed <= targets(DOCS / "from" / "perl.md")
    assert missing - listed == set()


def test_every_page_is_read_by_these_tests() -> None:
    """Whatever the folder: a page that is not in PAGES is not run, and its links are not followed."""
    unread = {p for p in ROOT.rglob("*.md") if "docs" in p.relative_to(ROOT).parts} - set(PAGES)
    assert {page for page in unread if not set(page.parts) & {".venv", "node_modules"}} == set()


@pytest.mark.parametrize(
    "name", sorted(set(compat_cgi.__all__) | set(dir(compat_cgi.FieldStorage)))
)
def test_every_name_of_the_old_module_has_its_row(name: str) -> None:
    if not name.startswith("_") and name not in {"has_own_make_file", "query_fields"}:  # ours
        assert name in code_words(DOCS / "from" / "cgi.md")


@pytest.mark.parametrize(
    "module", [m for m in MODULES if m not in ROLES and (REFERENCE / f"{m}.md").exists()]
)
def test_documented_functions_exist(module: str) -> None:
    page = REFERENCE / f"{module}.md"
    loaded = importlib.import_module(f"cgikit.{module}")
    for name in re.findall(rf"`{module}\.(\w+)\(", page.read_text()):
        assert hasattr(loaded, name), f"{page.name} speaks of {module}.{name}, which does not exist"


def read(name: str) -> str:
    return (DOCS / name).read_text()


#: Pages that tell what was: they name what is gone.
HISTORY = {"CHANGELOG.md", "upgrading.md"}

#: What the first part of a dotted name stands for where it is not the module: an object of this class.
OBJECTS = {"limits": Limits, "request": cgikit.Request, "response": cgikit.Response}


def dotted_names(page: Path) -> set[str]:
    """The names such as `warm.zygote.run` in a page's code spans that begin with a package of cgikit;
    in the page on the architecture, those that begin with one of its modules too.
    """
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.M | re.S)
    spans = [span.removeprefix("cgikit.") for span in re.findall(r"`([^`\n]+)`", text)]
    spans = [span for span in spans if not span.endswith((".py", ".db"))]
    found = [re.fullmatch(r"(\w+)(\.\w+)+(?=\(.*\)|$)(\(.*\))?", span) for span in spans]
    first = {package.partition(".")[0] for package in packages()}
    if page.name == "architecture.md":
        first |= {path.stem for path in PACKAGE.glob("*.py")}
    return {m[0].partition("(")[0] for m in found if m and m[1] in first}


def exists(name: str) -> bool:
    """Whether a dotted name leads to a module of cgikit, to something in it, or in a class of it."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        *folders, module = parts[:length]
        path = PACKAGE.joinpath(*folders, module)
        if path.is_dir() or path.with_suffix(".py").exists():
            dotted = ".".join(["cgikit", *parts[:length]]).removesuffix(".__init__")
            thing: object = importlib.import_module(dotted)
            own = [value for value in vars(thing).values() if inspect.isclass(value)]
            classes = [c for c in own if c.__module__ == dotted]
            objects = [thing, OBJECTS.get(parts[0]), *classes]
            return any(has(owner, parts[length:]) for owner in objects)
    return False


def has(thing: object, names: list[str]) -> bool:
    """Whether a chain of attributes can be followed from `thing`."""
    for name in names:
        if not hasattr(thing, name):
            return False
        thing = getattr(thing, name)
    return True


@pytest.mark.parametrize("page", [page for page in PAGES if page.name not in HISTORY], ids=title)
def test_the_names_that_a_page_gives_exist(page: Path) -> None:
    """A page spoke of `host.warm.leave` long after it had gone."""
    assert sorted(name for name in dotted_names(page) if not exists(name)) == []


def test_a_name_that_is_gone_would_be_seen() -> None:
    assert all(exists(name) for name in ("warm.zygote", "host.path.locate_decoded", "limits.query"))
    assert not any(exists(name) for name in ("host.warm.leave", "limits.weight"))
    assert "host.path.locate_decoded" in dotted_names(DOCS / "understand" / "architecture.md")


# --- tables that repeat the code ---------------------------------------------------------------


def test_the_table_of_limits_is_that_of_the_code() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([\d,]+) \|", read("reference/limits.md"), re.M)
    documented = {name: int(value.replace(",", "")) for name, value in rows}
    code = {n: v for n, v in vars(Limits).items() if isinstance(v, int) and not n.startswith("_")}
    assert documented == code


def test_the_table_of_errors_is_that_of_the_code() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (\d+)", read("reference/errors.md"), re.M))
    errors = {n: getattr(cgikit, n) for n, m in cgikit._MODULE_OF.items() if m == "errors"}
    own = {n: str(e.status) for n, e in errors.items() if hasattr(e, "status")}
    own.pop("HTTPError")  # any status
    own.pop("CGIError")
    assert rows == own


def test_the_table_of_layers_is_that_of_the_house() -> None:
    rows = re.findall(r"^\| (\d\d?) \| (.+?) \|", read("understand/architecture.md"), re.M)
    documented = [
        set(re.findall(r"`(\w+)`", cell)) for _, cell in reversed(rows)
    ]  # the top layer comes first
    present = {path.stem for path in PACKAGE.iterdir()}
    built = [layer & present for layer in LAYERS]
    assert documented == [layer for layer in built if layer]


def factors() -> dict[str, str]:
    """Mode to "times CGI", as `make bench-gateways` wrote them into docs/understand/performance.md."""
    part = read("understand/performance.md").partition("### The same script in each mode")[2]
    return dict(re.findall(r"^\| (.+?) \| ([\d.]+) \|", part.partition("###")[0], re.M))


#: The two rows of factors in docs/understand/choosing.md: for each cell, the mode of
#: docs/understand/performance.md.
CHOICES = {
    "behind Apache": [
        "CGI: Apache mod_cgid",
        "`cgikit fastcgi`, warm, Apache",
        "`run(handler)`, persistent, Apache",
        "`WSGI(handler)`, mod_wsgi",
    ],
    "behind nginx": [
        "`cgikit fastcgi`, warm, nginx",
        "`run(handler)`, persistent, nginx",
        "`WSGI(handler)`, gunicorn behind nginx",
    ],
}


@pytest.mark.parametrize("row", CHOICES)
def test_the_factors_to_choose_by_are_those_that_were_measured(row: str) -> None:
    """After `make bench-gateways`, docs/understand/choosing.md takes over the new figures."""
    page = read("understand/choosing.md")
    [cells] = re.findall(rf"^\| requests a second {row}, .+? \| (.*) \|$", page, re.M)
    shown = re.findall(r"(?:^|\| )([\d.]+)", cells)
    assert shown == [factors()[mode] for mode in CHOICES[row]]


def numbers(row: str) -> list[float]:
    """The figures of a row of a table, without names."""
    return [float(number) for number in re.findall(r"(?:^\||\|) ([\d.]+)(?= )", row)]


def is_about(documented: float, current: float) -> bool:
    """Whether a documented figure differs from the current one by no more than a tenth."""
    return abs(documented - current) <= max(abs(current) * 0.1, 0.015)


def test_the_measured_row_is_what_the_tool_prints() -> None:
    """It said 55 modules when there were 104: `python tests/harness/house.py` prints it anew."""
    head, _, current = house.measured(house.read()).split("\n")
    page = read("understand/architecture.md")
    assert head in page
    documented = page.partition(head)[2].strip().split("\n")[1]
    pairs = list(zip(numbers(documented), numbers(current), strict=True))
    assert len(pairs) == 8
    assert [pair for pair in pairs if not is_about(*pair)] == [], f"now it is\n{current}"


def test_a_stale_figure_would_be_seen() -> None:
    assert numbers("| 55 | 147 | 488 (`warm.exchange`) | 100 % |") == [55, 147, 488, 100]
    assert is_about(149, 152)
    assert not is_about(55, 104)


def result(work: str, contender: str) -> float | None:
    """A contender's factor to bare Python in benchmarks/RESULTS.md, None if it was not measured."""
    text = (ROOT / "benchmarks" / "RESULTS.md").read_text()
    section = text.partition(f"\n## {work}\n")[2].partition("\n## ")[0]
    found = re.search(rf"^\| {re.escape(contender)} \|.*?\*\*([\d.]+)\*\*", section, re.M)
    return float(found[1]) if found else None


#: The rows of the README, and the works of benchmarks/RESULTS.md.
WORKS = {
    "answers a GET with a page": "GET with a query string, HTML answer",
    "counts in a file": "A counter in a file, HTML answer",
    "changes a session": "A session: load, change, save, HTML answer",
    "takes a small file": "POST multipart, one small file",
}


@pytest.mark.parametrize("words", WORKS)
def test_the_times_of_the_readme_are_those_that_were_measured(words: str) -> None:
    """Each beside its best peer among the scripting languages. After `make bench`, take them over."""
    work = WORKS[words]
    peers = {name: result(work, name) for name in ("PHP", "Perl CGI.pm", "Ruby cgi")}
    best, name = min((factor, name) for name, factor in peers.items() if factor)
    ours, old = result(work, "cgikit"), result(work, "legacy-cgi")
    last = f"{old:.2f}" if old else "not measured"
    shown = f"| {words} | {ours:.2f} | {best:.2f} ({name}) | {last} |"
    assert shown in (ROOT / "README.md").read_text()


def test_the_factors_of_the_readme_are_those_that_were_measured() -> None:
    text = " ".join((ROOT / "README.md").read_text().split())
    go = result("GET with a query string, HTML answer", "Go net/http/cgi")
    assert f"A compiled Go program takes {go:.2f}." in text
    warm = factors()["`cgikit fastcgi`, warm, Apache"]
    assert f"(docs/reference/warm.md), {warm} times as many requests" in text
    persistent = factors()["`run(handler)`, persistent, Apache"]
    assert f"(docs/reference/persistent.md), {persistent} times" in text


def packages() -> list[str]:
    """The packages below cgikit, dotted."""
    found = (path.parent for path in PACKAGE.rglob("*/__init__.py"))
    return sorted(".".join(path.relative_to(PACKAGE).parts) for path in found)


#: Where the modules of each package are listed: a page and a heading. All others are in
#: docs/understand/architecture.md, under their name.
LISTS = {
    "accelerate": ("reference/accelerate.md", "## The parts"),
    "bundle": ("reference/bundle.md", "## The parts"),
    "gateway": ("reference/gateway.md", "# gateway: FastCGI and SCGI"),
    "host": ("reference/host.md", "## The parts"),
    "inspector": ("reference/inspector.md", "## The parts"),
    "warm": ("reference/warm.md", "## The parts"),
}


@pytest.mark.parametrize("package", packages())
def test_the_list_of_a_package_names_all_of_its_modules(package: str) -> None:
    page, heading = LISTS.get(package, ("understand/architecture.md", f"### `{package}`"))
    text = read(page)
    assert f"{heading}\n" in text, f"{page} has no heading {heading!r}"
    section = re.split(r"^#+ ", text.partition(f"{heading}\n")[2], maxsplit=1, flags=re.M)[0]
    cells = re.findall(r"^\| (`.*?) \|", section, re.M)
    listed = re.findall(rf"`(?:{package}\.)?(\w+)`", " ".join(cells))
    present = [path.stem for path in (PACKAGE / package.replace(".", "/")).glob("*.py")]
    assert sorted(listed) == sorted(name for name in present if not name.startswith("__"))


@pytest.mark.parametrize("package", packages())
def test_a_list_in_a_package_s_docstring_names_all_of_its_modules(package: str) -> None:
    """`host/__init__` named 8 of 29. One or two names are no list."""
    [module] = [m for m in house.read() if m.name == package]
    words = re.findall(r"`(\w+)(?:\.py)?`", ast.get_docstring(module.tree) or "")
    folder = PACKAGE / package.replace(".", "/")
    present = {path.stem for path in folder.glob("*.py") if not path.stem.startswith("__")}
    named = present & set(words)
    assert len(named) < 3 or named == present, f"not named: {sorted(present - named)}"


def defined_rules() -> set[str]:
    """The numbers that docs/deploy/servers.md (R) and docs/understand/security.md (S) define."""
    rows = re.findall(
        r"^\| ([RS]\d+) \|", read("deploy/servers.md") + read("understand/security.md"), re.M
    )
    return set(rows)


def used_rules(text: str) -> set[str]:
    """The numbers of rules that a text speaks of, and those in the names of tests."""
    return set(re.findall(r"(?<![\w-])[RSF]\d{1,2}(?![\w.])", text)) | {
        name.upper() for name in re.findall(r"def test_((?:[rsf]\d+))_", text)
    }


def test_every_number_of_a_rule_is_defined() -> None:
    """Readers of `R49` and `S24` in the code find them in docs/deploy/servers.md and
    docs/understand/security.md.
    """
    assert used_rules("S4, R50: and X1\ndef test_s99_x()") == {"S4", "R50", "S99"}
    files = [*PACKAGE.rglob("*.py"), *(ROOT / "tests").rglob("*.py"), *DOCS.rglob("*.md")]
    unknown = {
        f"{path.relative_to(ROOT)}: {rule}"
        for path in files
        if path != Path(__file__)
        for rule in used_rules(path.read_text()) - defined_rules()
    }
    assert sorted(unknown) == []


def test_what_the_security_page_says_of_patterns_is_true() -> None:
    """S17: no regular expression on the script's side, and so none that input could slow down.

    Those that scripts declare for fields are the exception; test_fields_conversion.py has their bound.
    """
    server = {*ROLES, "checking", "probing", "starters"}
    modules = [module for module in house.read() if house.room(module.name) not in server]
    using = [m.name for m in modules if re.search(r"^\s*(import re\b|from re )", m.source, re.M)]
    assert len(modules) > 25
    assert using == ["fields.conversion"]


def texts() -> list[str]:
    """Every piece of text in the source of the library, as it is printed."""
    nodes = (node for module in house.read() for node in ast.walk(module.tree))
    found = [n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    return [re.sub(r"\s+", " ", text) for text in found]


#: What differs from one message of its kind to the next: names of files and of a handler, quoted text,
#: numbers.
VARYING = re.compile(r"'[^']*'|\S+\.(?:py|css|cgi)\b|\bhello\b|#!/\S+(?: pyton3)?|\b\d+\b|…")


def test_the_messages_that_the_page_on_serve_quotes_are_those_of_the_code() -> None:
    table = read("reference/serve.md").partition("| the page says |")[2].partition("\n\n")[0]
    quoted = re.findall(r"^\| (.+?) \| ", table, re.M)
    assert len(quoted) > 10
    pieces = {piece.strip(" .:") for line in quoted for piece in VARYING.split(line)}
    printed = texts()
    unknown = [piece for piece in pieces if not any(piece in text for text in printed)]
    assert sorted(unknown) == []


def test_the_counter_of_the_readme_is_the_example() -> None:
    def code(text: str) -> str:
        return re.sub(r'^""".*?"""$|^#.*?$', "", text, flags=re.M | re.S).replace("\n", "")

    example = (ROOT / "examples" / "cgi-bin" / "hits.py").read_text()
    readme = [b.text for b in blocks(ROOT / "README.md") if "Counter(" in b.text]
    assert [code(text) for text in readme] == [code(example)]


def test_the_picture_is_there_and_small() -> None:
    picture = DOCS / "img" / "demo.png"
    assert picture.read_bytes().startswith(b"\x89PNG\r\n")
    assert picture.stat().st_size < 200_000


def proves(test: Path, rule: str, cell: str) -> bool:
    """Whether a test speaks of the rule (S4, or s4 in a name), or is named in the cell and exists."""
    if not test.exists():
        return False
    text = test.read_text()
    named = re.findall(r"`(test_\w+)`", cell)
    return bool(
        re.search(rf"(?<![a-z0-9]){rule}(?![0-9])", text, re.I)
        or any(re.search(rf"^ *def {name}\(", text, re.M) for name in named)
    )


def test_every_promise_names_a_test_that_names_it() -> None:
    rows = re.findall(r"^\| (S\d+) \|.*\|(.*)\|$", read("understand/security.md"), re.M)
    assert len(rows) > 20
    unproven = []
    for rule, cell in rows:
        tests = [
            DOCS / "understand" / link for link in re.findall(r"\((\.\./\.\./tests/[^)]+)\)", cell)
        ]
        if not any(proves(test, rule, cell) for test in tests):
            unproven.append(f"{rule}: {cell}")
    assert unproven == []
