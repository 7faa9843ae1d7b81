"""What is printed as a configuration says what was meant, and nothing else.

A socket's path with the end of a line in it ended the comment of `cgikit config` that it stood in, and
its rest became a line of shell. The kind: a value from outside is put into a text without the quotes of
its syntax. All places that put values into texts are listed here, and each value is tried with what
could end its place.
"""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from properties import any_texts
from requirement import need

from cgikit.cli.config import HTTPD_MODULES, RECIPES, quoting
from cgikit.cli.config.quoting import Unsayable
from cgikit.cli.config.recipe import write
from cgikit.cli.config.site import Site

CONFIG = Path(__file__).parents[2] / "cgikit" / "cli" / "config"
#: They print nothing of a value, or only on standard error.
SILENT = {"__init__", "account", "programs", "quoting"}

#: What writes a value with the quotes of a syntax. `as_user` makes words of a shell.
QUOTING = {
    *(
        "apache",
        "apache_socket",
        "as_user",
        "caddy",
        "caddy_socket",
        "lighttpd",
        "nginx",
        "nginx_socket",
    ),
    *("python", "quote", "quoted", "shell", "systemd", "systemd_path", "systemd_program", "uwsgi"),
    *("words", "map"),  # map(quoted, …)
}

BARE = {
    "apache": {
        "'localhost' if ':' in site.listen else site.listen": "an IP address",
        "site.patience": "a number",
        "_proxied(site, 'fcgi', _split(site) + SENDCL)": "a text that is looked at itself",
        "_password(site)": "a text that is looked at itself",
        "pattern": "the prefix: letters, digits and -._~/",
        "more": "a text of ours",
        "_cgi(site)": "a text that is looked at itself",
        "body": "a text that is looked at itself",
        "file": "what `quoted` made",
        "identity": "a text that is looked at itself",
        "name": "the name of a module, of ours",
        "site.host": "an IP address",
        "site.port": "a number",
    },
    "caddy": {
        "BUFFER[_since(2, 7)]": "one of two texts of ours",
        "_password(site)": "a text that is looked at itself",
        "asks": "one of two words of ours",
        "pattern": "the prefix: letters, digits and -._~/",
        "site.body": "a number",
        "handle": "a text that is looked at itself",
        "line": "a line of a text that is looked at itself",
        "site.host": "an IP address",
        "site.location": "letters, digits and -._~/, which `_prefix` of the command sees to",
        "site.prefix": "letters, digits and -._~/, which `_prefix` of the command sees to",
        "site.own('caddy')": "becomes a word of `as_user`",
        "site.port": "a number",
    },
    "lighttpd": {
        "body": "a text that is looked at itself",
        "identity": "a text that is looked at itself",
        "kind": "fastcgi or scgi",
        "modules": "names of ours",
        "pattern": "what `quoted` made",
        "text": "a text that is looked at itself",
        "root": "a text of ours",
        "site.port": "a number",
    },
    "nginx": {
        "_pattern(site.prefix)": "the prefix: letters, digits and -._~/",
        "kind": "fastcgi or scgi",
        "site.body": "a number",
        "site.patience": "a number",
        "site.timeout": "a number",
        "line": "a line of a text that is looked at itself",
        "name": "the name of a parameter, of ours",
        "place": "a text that is looked at itself",
        "site.prefix": "letters, digits and -._~/, which `_prefix` of the command sees to",
        "site.host": "an IP address",
        "site.location": "letters, digits and -._~/, which `_prefix` of the command sees to",
        "site.port": "a number",
        "value": "a value of ours, or what `quoted` made",
    },
    "recipe": {
        "label": "a word of ours",
        "mode": "one of two words of ours",
        "site.user": "in a comment; `Site` refuses the end of a line",
        "text": "a command whose words are quoted",
        "who": "in a comment",
    },
    "site": {
        "SYSTEM_PATH": "a text of ours",
        "self.stderr": "log or server",
        "WORKERS": "a number",
        "self.path": "becomes a word of `as_user`",
        "first": "becomes the argument of `quoted`",
        "made": "words that `shell` made",
        "path": "the prefix, and what `quote` made",
        "owner": "words that `shell` made",
        "self.group": "becomes a word of `as_user`",
        "self.host": "an IP address",
        "self.listen": "an IP address",
        "self.port": "a number",
        "self.prefix": "letters, digits and -._~/, which `_prefix` of the command sees to",
        "self.user": "becomes a word of `as_user`",
    },
    "small": {
        "site.host": "an IP address",
        "site.listen": "an IP address",
        "site.port": "a number",
    },
    "systemd": {
        "WORKERS": "a number",
        "_SECRETS": "a text of ours",
        "_group(site)": "what `systemd_path` made",
        "_home(site)": "one of two texts of ours",
        "_user(site)": "what `systemd_path` made",
        "command": "words that `quoted` made",
        "file": "of a description: `Site` refuses the end of a line, and the percent is doubled",
        "name": "what `unit_name` made",
        "site.host": "an IP address",
        "site.port": "a number",
        "site.stderr": "log or server",
        "unit.about": "a text that is looked at itself",
        "unit.access": "a text that is looked at itself",
        "unit.listen": "what `systemd_path` made, or an address and a port",
        "unit.name": "a name of ours, or what `unit_name` made",
        "unit.service": "a text that is looked at itself",
        "unit_name(site.root)": "letters, digits and -._",
    },
    "wsgiservers": {
        "_NOTES": "a text of ours",
        "home": "what `quoted` made",
        "os.path.dirname(file)": "becomes a word of `as_user`",
        "root": "what `python` made",
        "site.host": "an IP address",
        "site.port": "a number",
    },
}


def interpolations(source: str) -> set[str]:
    """The expressions that an f-string, `format`, `%` or `+` puts into a text without quotes."""
    found: set[str] = set()

    def walk(node: ast.AST, quoted: bool) -> None:
        if isinstance(node, ast.Raise):
            return  # a message on standard error
        values: list[ast.expr] = []
        if isinstance(node, ast.Call):
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            quoted = quoted or called in QUOTING
            if called == "format":
                values = [*node.args, *(keyword.value for keyword in node.keywords)]
        elif isinstance(node, ast.FormattedValue):
            values = [node.value]
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
            sides = [node.left, node.right]
            if any(isinstance(side, ast.JoinedStr) or is_text(side) for side in sides):
                values = sides
        found.update(ast.unparse(v) for v in values if not quoted and not is_safe(v))
        for child in ast.iter_child_nodes(node):
            walk(child, quoted)

    walk(ast.parse(source), False)
    return found


def is_safe(node: ast.AST) -> bool:
    """Whether it is a text of ours, or made of what is looked at by itself."""
    if isinstance(node, ast.IfExp):
        return is_safe(node.body) and is_safe(node.orelse)
    if isinstance(node, ast.Call):
        called = getattr(node.func, "attr", getattr(node.func, "id", ""))
        return called in QUOTING | {"format", "join"}
    return isinstance(node, ast.JoinedStr | ast.BinOp | ast.Constant | ast.DictComp)


def is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


@pytest.mark.parametrize("module", sorted(BARE))
def test_values_are_quoted_but_for_those_listed(module: str) -> None:
    assert interpolations((CONFIG / f"{module}.py").read_text()) == set(BARE[module])


def test_all_modules_that_print_are_looked_at() -> None:
    assert {file.stem for file in CONFIG.glob("*.py")} == set(BARE) | SILENT


@pytest.mark.parametrize(
    "source",
    [
        "f'root {site.root};'",
        "'root {}'.format(site.root)",
        "TEXT.format(root=site.root)",
        "'root %s' % site.root",
        "'root ' + site.root",
        "f'a {quoted(x)}' + site.root",
    ],
)
def test_a_value_without_quotes_is_found(source: str) -> None:
    assert interpolations(source) == {"site.root"}


# --- what could end its place -----------------------------------------------------------------

HOSTILE = [
    "x\ntouch PWNED #",
    "x\r\ny",
    "x\ry",
    "x\u2028y",
    "x\x85y",
    "x\x1b[2Jy",
    "x\udcffy",
    "x\x7fy",
]


def config(*words: str | bytes) -> tuple[int, str, str]:
    """Run the command as a shell would, and return its status and what it wrote."""
    command = [sys.executable, "-m", "cgikit", "config", *words]
    done = subprocess.run(command, capture_output=True)
    assert b"Traceback" not in done.stderr
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.mark.parametrize("server", sorted(RECIPES))
def test_what_no_text_can_say_is_refused(server: str) -> None:
    """The path of a socket with the end of a line in it became a line of shell."""
    recipe = RECIPES[server]
    for name in ("root", "state", "socket", "user", "group", "python", "modules"):
        for value in HOSTILE:
            with pytest.raises(Unsayable, match=re.escape(repr(value))):
                write(
                    recipe,
                    Site(**{"root": "/srv", "user": "u", "group": "g", name: value}),
                    ["cgikit"],
                )  # type: ignore[arg-type]
    with pytest.raises(Unsayable):
        Site("/srv", cgikit=("python", HOSTILE[0]))


@pytest.mark.parametrize("option", ["--socket", "--state"])
def test_the_command_refuses_it_in_a_sentence(tmp_path: Path, option: str) -> None:
    for value in HOSTILE:
        status, out, err = config(
            "nginx", str(tmp_path), option, os.fsencode(f"{tmp_path}/{value}")
        )
        assert (status, out) == (1, "")
        assert err.startswith("cgikit config: nginx: ")
        assert len(err.splitlines()) == 1


def test_a_script_whose_name_is_not_utf8_is_named_in_the_url(tmp_path: Path) -> None:
    """It was a traceback."""
    with open(bytes(tmp_path) + b"/a\xff.py", "wb") as file:
        os.fchmod(file.fileno(), 0o755)
    status, out, _ = config("nginx", str(tmp_path))
    assert status == 0
    assert "/cgi-bin/a%FF.py\n" in out


def test_what_standard_output_cannot_say_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "\u20ac").mkdir()
    command = [sys.executable, "-m", "cgikit", "config", "nginx", str(tmp_path / "\u20ac")]
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run(command, capture_output=True, env=environment)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"cgikit config: ")
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("character", "{}\\`\"' |")
def test_a_path_that_caddy_would_read_as_something_else_is_refused(character: str) -> None:
    """Braces in the path of a socket were replaced."""
    with pytest.raises(Unsayable):
        quoting.caddy_socket(f"/run/a{character}b")


# --- read back by those who read it -----------------------------------------------------------

ALL = "".join(chr(c) for c in range(32, 127) if chr(c) != "/") + "\u00e9\u20ac"


def sayable(quote: Callable[[str], str]) -> str:
    """All printable characters that a syntax can say, in one word."""
    kept = ""
    for character in ALL:
        try:
            quote(f"/x{character}y")
        except Unsayable:
            continue
        kept += character
    assert len(kept) > 80
    return f"x{kept}y"


@given(any_texts)
@settings(max_examples=50)
def test_a_shell_reads_what_was_meant(text: str) -> None:
    try:
        words = quoting.words(["printf", "%s", text])
    except Unsayable:
        return
    # As it stands in a comment: the line is copied and run
    done = subprocess.run(["/bin/sh", "-c", f"{words}\n"], capture_output=True, check=True)
    assert done.stdout.decode() == text


def test_python_reads_what_was_meant() -> None:
    assert ast.literal_eval(quoting.python(ALL)) == ALL


def test_nginx_reads_what_was_meant(tmp_path: Path) -> None:
    """It opens its log, by the name that it has read."""
    program, name = need("nginx"), sayable(quoting.nginx)
    file = tmp_path / "nginx.conf"
    log = quoting.nginx(str(tmp_path / name))
    file.write_text(f"pid {tmp_path}/pid;\nerror_log {log};\nevents {{ }}\n")
    subprocess.run([program, "-t", "-c", file, "-e", "stderr"], check=True, capture_output=True)
    assert (tmp_path / name).exists()


def test_httpd_reads_what_was_meant(tmp_path: Path) -> None:
    program, name = need("apache2"), sayable(quoting.apache)
    file = tmp_path / "httpd.conf"
    modules = next(path for path in HTTPD_MODULES if Path(path).is_dir())
    load = "".join(
        f"LoadModule {name}_module {modules}/mod_{name}.so\n"
        for name in ("mpm_event", "authz_core")
    )
    log = quoting.apache(f"{tmp_path}/{name}")
    file.write_text(f"{load}ServerName x\nListen 127.0.0.1:1\nErrorLog {log}\n")
    command = [program, "-f", file, "-t", "-D", "DUMP_RUN_CFG"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert f'Main ErrorLog: "{tmp_path}/{name}"' in done.stdout, done


def test_lighttpd_reads_what_was_meant(tmp_path: Path) -> None:
    program, name = need("lighttpd"), sayable(quoting.lighttpd)
    file = tmp_path / "lighttpd.conf"
    (tmp_path / name).mkdir()
    file.write_text(f"server.document-root = {quoting.lighttpd(str(tmp_path / name))}\n")
    done = subprocess.run([program, "-p", "-f", file], capture_output=True, text=True, check=True)
    shown = re.search(r'server\.document-root *= *"(.*)"', done.stdout)
    assert shown is not None
    assert shown[1] == str(tmp_path / name)


def test_caddy_reads_what_was_meant(tmp_path: Path) -> None:
    program, name = need("caddy"), sayable(quoting.caddy)
    socket = f"/run/{sayable(quoting.caddy_socket)}"
    file = tmp_path / "Caddyfile"
    file.write_text(
        f"http://:1 {{\n\troot * {quoting.caddy(f'/srv/{name}')}\n"
        f"\treverse_proxy {quoting.caddy_socket(socket)} {{\n\t\ttransport fastcgi\n\t}}\n}}\n"
    )
    command = [program, "adapt", "--adapter", "caddyfile", "--config", file]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    read = json.dumps(json.loads(done.stdout))
    assert json.dumps(f"/srv/{name}") in read
    assert json.dumps(f"unix/{socket}") in read


def test_systemd_reads_what_was_meant(tmp_path: Path) -> None:
    program = need("systemd-analyze")
    executable = tmp_path / sayable(quoting.systemd_program)
    shutil.copy("/bin/true", executable)
    file = tmp_path / "x.service"
    file.write_text(
        "[Unit]\nDescription=x\n[Service]\n"
        f"ExecStart={quoting.systemd_program(str(executable))} {quoting.systemd(ALL)}\n"
    )
    done = subprocess.run([program, "verify", file], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
