"""What a web server sends does not decide what code runs, unless somebody has asked for it by `--pass`.

A FastCGI or SCGI peer's variables become the environment of a process, where a shell obeys BASH_ENV,
the loader LD_PRELOAD, Python PYTHONPATH, Perl PERL5OPT: whoever reached the socket could run code,
though the path that runs comes from the root. The kind: a way from the peer's variables to a process.
All are listed here, and hostile variables are sent to real interpreters (S25).
"""

import ast
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from gatewayserving import HEAD, Gateway, gateway
from persisting import application
from requirement import need
from serving import DEADLINE
from stock import stock_nginx

PACKAGE = Path(__file__).parents[2] / "cgikit"

# --- the ways ---------------------------------------------------------------------------------

#: Every function that looks at a peer's variables, and what becomes of them.
READERS = {
    "warm.exchange:Exchange.opened": "how much body comes",
    "warm.exchange:Exchange.body": "the length of a body that came without one",
    "warm.exchange:Exchange._find": "the path: a file below the root, or a page",
    "warm.exchange:Exchange._launch": "the only way to a process: through `Launcher.prepare`",
    "warm.exchange:Exchange._follow_redirect": "the same variables for a second script, by `_launch`",
    "warm.connection:Connection._dispatch": "kept, until the request is over",
    "warm.reply:Reply._take": "REQUEST_METHOD: whether there is a body",
    "warm.reply:Reply._fail": "REQUEST_METHOD: whether there is a body",
    "warm.reply:Reply.name": "the path, for the log",
    "persistent.connection:PersistentConnection._expected": "CONTENT_LENGTH, REQUEST_METHOD",
    "persistent.connection:PersistentConnection.gather": "the length of a body that came without one",
    "persistent.worker:PersistentWorker._turn": "kept, until the request is over",
    "persistent.worker:PersistentWorker._serve": "a dict that `Request` shows, no environment",
}

#: Every function that gives a process its environment, and where that is from.
GIVERS = {
    "warm.trial:_watch_environment": "nothing is set: changes by imports are noticed",
    "host.whereabouts:whereabouts": "our own environment: it starts py-spy, which is no script",
    "host.spawn:_popen": "meta-variables that `environ.py` has made: there is no peer",
    "warm.workerprocess:_interpreter": "our own environment, by `environ.inherited`",
    "warm.interpreter:_set_environment": "what `script_environ` returned",
    "warm.surroundings:Surroundings._restore_environ": "our own, as before the first request",
    "warm.interpreter:execute": "what `script_environ` returned, over the zygote's own",
    "warm.worker:main": "our own environment, less one name",
    "warm.zygote:main": "our own environment, less one name",
    "warm.rehearsal:rehearse": "names and values of our own",
}


def functions(source: str) -> Iterator[tuple[str, ast.AST]]:
    """All functions, named with their classes; a function inside another one is part of it."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef):
                    yield f"{node.name}.{inner.name}", inner
        elif isinstance(node, ast.FunctionDef):
            yield node.name, node


def reads(node: ast.AST) -> bool:
    return any(
        isinstance(found, ast.Attribute)
        and found.attr == "variables"
        and isinstance(found.ctx, ast.Load)
        for found in ast.walk(node)
    )


STARTS = {"Popen", "posix_spawn", "posix_spawnp", "putenv", "system", "execv", "execve", "execvp"}
CHANGES = {"clear", "pop", "setdefault", "update"}


def gives(node: ast.AST) -> bool:
    """Whether a function starts a program, or changes this process's environment."""
    for found in ast.walk(node):
        if isinstance(found, ast.Call):
            called = getattr(found.func, "attr", getattr(found.func, "id", ""))
            owner = getattr(found.func, "value", None)
            if called in STARTS or (called in CHANGES and is_environ(owner)):
                return True
            if called == "run" and getattr(owner, "id", "") == "subprocess":
                return True
        elif isinstance(found, ast.Subscript) and not isinstance(found.ctx, ast.Load):
            if is_environ(found.value):
                return True
        elif isinstance(found, ast.Constant) and found.value == "_data":  # of os.environ
            return True
    return False


def is_environ(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in {"environ", "environb"}


def places(wanted: Callable[[ast.AST], bool]) -> set[str]:
    return {
        f"{room}.{file.stem}:{name}"
        for room in ("gateway", "host", "warm", "persistent")
        for file in sorted((PACKAGE / room).glob("*.py"))
        for name, node in functions(file.read_text())
        if wanted(node)
    }


def test_the_functions_that_read_a_peers_variables_are_those_listed() -> None:
    assert places(reads) == set(READERS)


def test_the_functions_that_give_a_process_its_environment_are_those_listed() -> None:
    assert places(gives) == set(GIVERS)


def test_what_a_script_is_started_with_is_what_the_allow_list_has_passed() -> None:
    """Each name on the way from `script_environ` to the child is bound once."""

    def bound(module: str, function: str, name: str) -> str:
        found = dict(functions((PACKAGE / "warm" / f"{module}.py").read_text()))[function]
        (only,) = (
            ast.unparse(node)
            for node in ast.walk(found)
            if isinstance(node, ast.Assign) and name in ast.unparse(node.targets[0])
        )
        return only

    made = bound("launcher", "Launcher.prepare", "environ")
    assert made.endswith("= script_environ(variables, script, allowed, self._settings)")
    prepare = (PACKAGE / "warm" / "launcher.py").read_text()
    assert prepare.count("return program, arguments, environ\n") == 1
    launched = bound("exchange", "Exchange._launch", "environ")
    assert launched.endswith("= host.launcher.prepare(self.variables, script)")
    source = (PACKAGE / "warm" / "exchange.py").read_text()
    assert source.count("child.start(script.file, program, arguments, environ, arrival)") == 1
    assert source.count("child.start(") == 1


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("def f(e): return e.variables['X']", reads),
        ("def f(v): os.environ['X'] = v", gives),
        ("def f(v): os.environb.update(v)", gives),
        ("def f(v): subprocess.run(['x'], env=v)", gives),
        ("def f(v): os.execve('x', [], v)", gives),
        ("class A:\n    def f(self, v): vars(os.environ)['_data'] = v", gives),
    ],
)
def test_a_new_way_is_found(source: str, what: Callable[[ast.AST], bool]) -> None:
    ((_, node),) = functions(source)
    assert what(node)


# --- the programs -----------------------------------------------------------------------------

DUMP = {
    "sh": "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'; exec env\n",
    "bash": "#!/bin/bash\nprintf 'Content-Type: text/plain\\n\\n'; ls / >/dev/null; exec env\n",
    "perl": "#!/usr/bin/perl\nprint qq(Content-Type: text/plain\\n\\n);\n"
    "print qq($_=$ENV{$_}\\n) for keys %ENV;\n",
    "ruby": "#!/usr/bin/ruby\nputs 'Content-Type: text/plain', '', ENV.map { |n, v| n + '=' + v }\n",
}
PYTHON = f"{HEAD}import os\nfor pair in os.environ.items(): print(*pair, sep='=')\n"


def hostile(place: Path) -> dict[str, str]:
    """Variables by which programs take code, each of which leaves a mark in `place` if it is obeyed."""
    marks = place / "marks"
    marks.mkdir()

    def file(name: str, text: str, mode: int = 0o644) -> str:
        path = place / name
        path.write_text(text)
        path.chmod(mode)
        return str(path)

    shell = file("env.sh", f": > {marks}/shell\n")
    file("sitecustomize.py", f"open('{marks}/python', 'w')\n")
    file("Evil.pm", f"open my $f, '>', '{marks}/perl'; 1;\n")
    file("evil.rb", f"File.write('{marks}/ruby', '')\n")
    node = file("evil.js", f"require('fs').writeFileSync('{marks}/node', '')\n")
    file("ls", f"#!/bin/sh\n: > {marks}/path\n", 0o755)
    file("env", f"#!/bin/sh\n: > {marks}/path\n", 0o755)
    return {
        "BASH_ENV": shell,
        "ENV": shell,
        "SHELLOPTS": "xtrace",
        "PS4": f"$(: > {marks}/ps4)",
        "BASH_FUNC_ls%%": f"() {{ : > {marks}/function; }}",
        "BASH_FUNC_printf%%": f"() {{ : > {marks}/function; }}",
        "IFS": "/",
        "PATH": f"{place}:/usr/bin:/bin",
        "LD_PRELOAD": "/nonexistent/evil.so",
        "LD_LIBRARY_PATH": str(place),
        "GCONV_PATH": str(place),
        "PYTHONPATH": str(place),
        "PYTHONWARNINGS": "error",
        "PYTHONHOME": "/nonexistent",
        "PYTHONSTARTUP": shell,
        "PERL5OPT": "-MEvil",
        "PERL5LIB": str(place),
        "RUBYOPT": f"-r{place}/evil.rb",
        "RUBYLIB": str(place),
        "NODE_OPTIONS": f"--require {node}",
        "GIT_SSH_COMMAND": shell,
        "HOME": str(place),
        "TMPDIR": str(place),
        "HTTP_PROXY": "http://127.0.0.1:1",
        "https_proxy": "http://127.0.0.1:1",
        "SSL_CERT_FILE": "/nonexistent",
        "SSLKEYLOGFILE": f"{marks}/keys",
        "CGIKIT_DEBUG": "1",
        "X_OWN": "1",
        "GATEWAY INTERFACE": "1",
        "REDIRECT_LD_PRELOAD": "/nonexistent/evil.so",  # harmless: nobody obeys it
    }


HARMLESS = {"REDIRECT_LD_PRELOAD"}


@pytest.fixture(scope="module", params=["fastcgi", "fastcgi --spawn", "scgi", "scgi --pass *"])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Gateway, dict[str, str], Path]]:
    """A gateway, hostile variables, and the directory of their marks. The last one passes whatever a
    pattern can pass.
    """
    protocol, *options = request.param.split()
    if options == ["--pass", "*"]:
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
        options = [word for letter in letters for word in ("--pass", f"{letter}*")]
    place = tmp_path_factory.mktemp("hostile")
    root = place / "root"
    root.mkdir()
    with gateway(protocol, root, "--workers", "1", *options) as server:
        yield server, hostile(place), place / "marks"


@pytest.mark.parametrize("language", ["python", *DUMP])
def test_no_interpreter_takes_code_from_the_peer(
    served: tuple[Gateway, dict[str, str], Path], language: str
) -> None:
    server, variables, marks = served
    if language == "python":
        path = server.script("dump.py", PYTHON)
    else:
        if language in {"sh", "bash", "perl"}:
            need(language)
        elif not shutil.which(language):
            return  # not in every image of Debian, and the same rule as for the others
        path = server.put(f"dump.{language}", DUMP[language])
    answer = server.request(path, **variables)
    seen = dict(line.partition("=")[::2] for line in answer.text.splitlines())
    assert seen["SCRIPT_NAME"] == path
    assert not list(marks.iterdir())
    assert b"evil" not in answer.errors
    wanted = {name for name in variables if name in seen and seen[name] == variables[name]}
    passed_by_pattern = {"X_OWN", "CGIKIT_DEBUG"} if "a*" in server.process.args else set()
    assert wanted == HARMLESS | passed_by_pattern


def test_a_persistent_script_shows_them_and_obeys_none(tmp_path: Path) -> None:
    """They are in `request.environ`, and not in the environment of the process or of its children."""
    (tmp_path / "hostile").mkdir()
    variables = hostile(tmp_path / "hostile")
    source = (
        "import json, os, subprocess\nfrom cgikit import run\n"
        "def page(request):\n"
        "    names = subprocess.run(['/usr/bin/env'], capture_output=True, text=True).stdout\n"
        "    return json.dumps([request.environ.get('BASH_ENV'), dict(os.environ), names])\n"
        "run(page)\n"
    )
    with application(tmp_path, source) as app:
        shown, own, names = json.loads(app.ask(**variables).page)
    assert shown == variables["BASH_ENV"]
    children = dict(line.partition("=")[::2] for line in names.splitlines())
    for name, value in variables.items():
        assert own.get(name) != value
        assert children.get(name) != value


def test_each_dropped_name_is_logged_once_with_the_option_that_passes_it(tmp_path: Path) -> None:
    with gateway("fastcgi", tmp_path, "--workers", "2", "--pass", "X_*") as server:
        path = server.script("dump.py", PYTHON)
        more = {"OWN": "1", "X_OWN": "2", "BASH_ENV": "/x", "PATH": "/x", "A.B": "1"}
        usual = {"HTTP_CONTENT_TYPE": "a/b", "HTTP_PROXY": "x", "HTTP_AUTHORIZATION": "x"}
        for _ in range(20):  # both workers
            assert "X_OWN=2\n" in server.request(path, **more, **usual).text
        server.wait_for("sent OWN, which no script gets: --pass OWN would pass it$")
        server.wait_for("sent BASH_ENV, .*: --pass BASH_ENV would pass it, if .* code runs$")
        server.wait_for("sent HTTP_AUTHORIZATION, .*: --pass HTTP_AUTHORIZATION would pass it$")
        server.stop()
        assert len([line for line in server.lines if "which no script gets" in line]) == 3


def test_names_that_visitors_invent_do_not_fill_log_or_memory(tmp_path: Path) -> None:
    with gateway("fastcgi", tmp_path, "--workers", "1") as server:
        path = server.script("dump.py", PYTHON)
        for turn in range(5):
            many = {f"HTTP_X_{turn}_{number}": "1" for number in range(900)}
            assert server.request(path, **many).text.count("HTTP_X_") == 900
            many = {f"OWN_{turn}_{number}": "1" for number in range(900)}
            assert "OWN_" not in server.request(path, **many).text
        server.stop()
        assert len([line for line in server.lines if "which no script gets" in line]) <= 100


@pytest.mark.parametrize("mode", [[], ["--spawn"]])
def test_what_is_named_passes_and_an_interpreter_starts_that_reads_it(
    tmp_path: Path, mode: list[str]
) -> None:
    named = ("PYTHONPATH", "PYTHONOPTIMIZE", "HTTP_AUTHORIZATION", "GIT_PROJECT_ROOT", "LANG")
    options = [word for name in named for word in ("--pass", name)]
    more = f"{PYTHON}import sys\nprint(sys.flags.optimize, sys.path[1])"
    given = {"PYTHONPATH": "/first", "PYTHONOPTIMIZE": "2", "LANG": "evil"}
    given |= {"HTTP_AUTHORIZATION": "Basic x", "GIT_PROJECT_ROOT": "/srv"}
    environment = {"LANG": "C.UTF-8"}
    with gateway("fastcgi", tmp_path, *options, *mode, environment=environment) as server:
        lines = server.request(server.script("dump.py", more), **given).text.splitlines()
    assert lines[-1] == "2 /first"
    assert {"HTTP_AUTHORIZATION=Basic x", "GIT_PROJECT_ROOT=/srv"} <= set(lines)
    assert "LANG=C.UTF-8" in lines  # what scripts get of our own is not replaced


def test_behind_nginx(tmp_path: Path) -> None:
    more = "fastcgi_param BASH_ENV /evil; fastcgi_param OWN 1; fastcgi_param OTHER 1;"
    (tmp_path / "root").mkdir()
    with gateway("fastcgi", tmp_path / "root", "--workers", "1", "--pass", "OWN") as server:
        path = server.script("dump.py", PYTHON)
        with (
            stock_nginx(tmp_path, server, more) as port,
            urlopen(f"http://127.0.0.1:{port}{path}") as got,
        ):
            text = got.read().decode()
        server.wait_for("sent OTHER, which no script gets")
    assert "OWN=1\n" in text
    assert "BASH_ENV" not in text
    assert "OTHER" not in text
    for name in ("REQUEST_URI", "DOCUMENT_ROOT", "SERVER_ADDR", "REMOTE_PORT", "REQUEST_SCHEME"):
        assert f"\n{name}=" in text


@pytest.mark.parametrize(
    "word", ["HTTP_PROXY", "*", "", "A B", "A*B", "1A", "A=1", "BASH_FUNC_x%%"]
)
def test_an_option_that_names_no_variable_is_refused(tmp_path: Path, word: str) -> None:
    command = [sys.executable, "-m", "cgikit", "fastcgi", str(tmp_path), f"--pass={word}"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE)
    assert ended.returncode == 2
    assert "argument --pass: " in ended.stderr
    assert ("visitor" if word == "HTTP_PROXY" else "PREFIX_*") in ended.stderr
