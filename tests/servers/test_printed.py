"""What `cgikit config` prints, where it is not easy: odd paths, no root, scripts at "/"."""

import contextlib
import io
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from requirement import has_address, need, need_address

from cgikit.cli import main
from cgikit.cli.config import RECIPES

from .curl import curl
from .fixtures import readable_by_all
from .interpreter import ROOT, Interpreter
from .printed import printed
from .rows import ROWS, WSGI_ROWS
from .server import LOOPBACK, LOOPBACK_6

ALL = {**ROWS, **WSGI_ROWS}

#: Each has a meaning in the syntax of some configuration, or of the shell.
ODD = " '\"\\$%&;#*?[]{}()|<>=,:@!~`^+ü"

#: These have the scripts below a directory of documents.
LINKED = {"nginx-fcgiwrap", "busybox-httpd", "mini-httpd", "python-cgihttprequesthandler"}


def refused(config: str, root: Path, state: Path) -> str:
    """What the command says when it does not print that configuration; "" when it does."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        status = main(["config", config, str(root), "--state", str(state)])
    return said.getvalue() if status else ""


def sayable(config: str, directory: Path) -> str:
    """The odd characters that this server's configuration can say."""
    kept = ""
    for character in ODD:
        path = directory / f"a{character}b"
        path.mkdir(exist_ok=True)
        said = refused(config, path, path)
        assert not said or repr(character) in said
        kept += "" if said else character
    return kept


@pytest.mark.parametrize("name", ALL)
def test_what_the_syntax_can_say_is_served(
    name: str, readable_directory: Path, script_interpreter: Interpreter, tmp_path: Path
) -> None:
    """As an ordinary user, from one odd directory, with another one for its files, at ::1."""
    row = ALL[name]
    odd = sayable(row.config, tmp_path)
    assert " " in odd or row.config == "caddy"
    root = readable_directory / f"odd{list(ALL).index(name)}"  # a socket's path must be short
    scripts = root / f"scripts{odd}"
    row = replace(row, by_root=False, prefix="/cgi-bin/" if name in LINKED else "/")
    with readable_by_all():
        scripts.mkdir(parents=True)
        for script in ("hello.py", "form.py"):
            text = (ROOT / "examples" / "cgi-bin" / script).read_text()
            text = text.replace("/usr/bin/env python3", str(script_interpreter.python), 1)
            scripts.joinpath(script).write_text(text)
            scripts.joinpath(script).chmod(0o755)
        listen = LOOPBACK_6 if has_address(LOOPBACK_6) else LOOPBACK
        started = printed(
            name, row, root, scripts, script_interpreter, state=f"s{odd}", listen=listen
        )
        with started as server:
            answer = curl(server.url("hello.py?name=Ada"))
            assert (answer.status, "Hello, Ada!" in answer.text) == (200, True), server.error_log()
            if name != "mini-httpd":  # it loses answers to POST: see deviations.py
                assert "<td>Ada</td>" in curl(server.url("form.py"), "--data", "name=Ada").text


SINGLE = [name for name in ROWS if RECIPES[ROWS[name].config].gateway]


@pytest.mark.parametrize("name", SINGLE)
def test_a_single_script_answers_at_its_prefix_and_below(
    name: str, readable_directory: Path, script_interpreter: Interpreter
) -> None:
    root = readable_directory / f"single{SINGLE.index(name)}"
    row = replace(ROWS[name], by_root=False, prefix="/my.app")
    with readable_by_all():
        root.mkdir()
        script = root / "app.py"
        script.write_text(
            f"#!{script_interpreter.python}\nimport os\nprint('Content-Type: text/plain\\n')\n"
            "print(os.environ['SCRIPT_NAME'], os.environ['PATH_INFO'], os.environ['QUERY_STRING'])\n"
        )
        script.chmod(0o755)
        with printed(name, row, root, script, script_interpreter) as server:
            for path, seen in (
                ("", "/my.app  "),
                ("?q", "/my.app  q"),
                ("/", "/my.app / "),
                ("/a%20b/c?q", "/my.app /a b/c q"),
            ):
                answer = curl(server.base_url + path)
                assert (answer.status, answer.text) == (200, f"{seen}\n"), server.error_log()
            for path in ("le", "/../my.apple", "/../my-app", "/../other"):
                assert curl(server.base_url + path).status == 404


@pytest.mark.parametrize("name", SINGLE)
def test_a_single_script_at_the_root_of_the_url_has_all_of_the_path(
    name: str, readable_directory: Path, script_interpreter: Interpreter
) -> None:
    """nginx and Apache gave /a/b as SCRIPT_NAME, lighttpd as PATH_INFO."""
    root = readable_directory / f"root{SINGLE.index(name)}"
    row = replace(ROWS[name], by_root=False, prefix="/")
    with readable_by_all():
        root.mkdir()
        script = root / "app.py"
        script.write_text(
            f"#!{script_interpreter.python}\nimport os\nprint('Content-Type: text/plain\\n')\n"
            "print([os.environ['SCRIPT_NAME'], os.environ['PATH_INFO']])\n"
        )
        script.chmod(0o755)
        with printed(name, row, root, script, script_interpreter) as server:
            for path in ("/", "/a/b", "/a%20b/"):
                answer = curl(server.base_url.rstrip("/") + path)
                seen = f"['', '{path.replace('%20', ' ')}']\n"
                assert (answer.status, answer.text) == (200, seen), server.error_log()


def test_the_servers_above_were_at_an_address_of_ipv6() -> None:
    need_address(LOOPBACK_6)


def test_units_are_what_systemd_expects(
    readable_directory: Path, script_interpreter: Interpreter, tmp_path: Path
) -> None:
    analyze = need("systemd-analyze")
    scripts = readable_directory / 'it\'s 100% $HOME "here"'
    scripts.mkdir()
    config = [str(script_interpreter.directory / "bin" / "cgikit"), "config"]
    printed = subprocess.run([*config, "systemd", str(scripts)], capture_output=True, text=True)
    units = re.findall(
        r"cat > /etc/systemd/system/(\S+) <<'END'\n(.*?)^END$", printed.stdout, re.S | re.M
    )
    assert [name for name, _ in units] == ["cgikit-fastcgi.socket", "cgikit-fastcgi.service"]
    for name, text in units:
        tmp_path.joinpath(name).write_text(text)
    paths = [str(tmp_path / name) for name, _ in units]
    done = subprocess.run([analyze, "verify", *paths], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    # What systemd reads as its arguments: an escape of its own, then the dollar's and the percent's
    started = re.findall(r"^ExecStart=(.*)$", units[1][1], re.M)[0]
    assert started.endswith(
        '"it\'s 100%% $$HOME \\"here\\"" "--prefix" "/cgi-bin"'.replace(
            '"it', f'"{readable_directory}/it'
        )
    )


def test_the_shell_of_the_text_is_a_shell_s(
    script_interpreter: Interpreter, tmp_path: Path
) -> None:
    config = [str(script_interpreter.directory / "bin" / "cgikit"), "config"]
    shell = shutil.which("dash") or "sh"
    for name in ("busybox", "mini-httpd", "cgikit", "systemd"):
        text = subprocess.run(
            [*config, name, str(tmp_path)], capture_output=True, check=True
        ).stdout
        subprocess.run([shell, "-n"], input=text, check=True)
