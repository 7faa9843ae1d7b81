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
from .guarded import GUARDS
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


#: What a page may know of a visitor, and where it is.
TELLS = """import os
from cgikit import Response, run

NAMES = ("SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "REMOTE_USER", "AUTH_TYPE", "HTTP_HOST")

def page(request):
    told = [request.environ.get(name, "") for name in NAMES]
    return Response.json([*told, len(request.body or b""), os.getpid()])

if __name__ == "__main__":
    run(page)
"""

PERSISTENT = [name for name in SINGLE if RECIPES[ROWS[name].config].persistent]


def persistent(root: Path, interpreter: Interpreter) -> Path:
    """A script that is started as a process that stays."""
    root.mkdir()
    script = root / "app.py"
    script.write_text(f"#!{interpreter.python}\n{TELLS}")
    script.chmod(0o755)
    return script


@pytest.mark.parametrize("prefix", ["/my.app", "/"])
@pytest.mark.parametrize("name", PERSISTENT)
def test_a_persistent_script_has_its_path_and_its_body_and_nobody_names_himself(
    name: str, prefix: str, readable_directory: Path, script_interpreter: Interpreter
) -> None:
    """The block of the page lost PATH_INFO and the port, and let a visitor choose REMOTE_USER."""
    root = readable_directory / f"stays{PERSISTENT.index(name)}{len(prefix)}"
    row = replace(ROWS[name], by_root=False, prefix=prefix)
    with readable_by_all():
        script = persistent(root, script_interpreter)
        options = ["--persistent"]
        with printed(name, row, root, script, script_interpreter, options=options) as server:
            base = server.base_url.rstrip("/")
            host = base.split("/")[2]
            below = prefix.rstrip("/")
            pids = set()
            for path, rest, query in (
                *[(f"/{n}", f"/{n}", "") for n in range(5)],
                ("/", "/", ""), ("/a%20b/c?q", "/a b/c", "q"), ("/x.php/y", "/x.php/y", ""),
                *([("", "", ""), ("?q", "", "q")] if below else []),
            ):  # fmt: skip
                answer = curl(base + path, "--user", "admin:x")
                assert answer.status == 200, server.error_log()
                *told, size, pid = answer.json()
                assert told == [below, rest, query, "", "", host]
                assert size == 0
                pids.add(pid)
            assert len(pids) <= 4  # processes that stay
            for chunked in ([], ["--header", "Transfer-Encoding: chunked"]):
                words = ["--data-binary", "@-", *chunked]
                answer = curl(f"{base}/", *words, stdin=b"x" * 2_000_000)
                assert answer.json()[6] == 2_000_000, server.error_log()
            if below:
                for path in ("le", "/../my.apple", "/../my-app", "/../other"):
                    assert curl(base + path).status == 404


@pytest.mark.parametrize("name", PERSISTENT)
def test_a_persistent_script_behind_a_password_knows_who_came(
    name: str, readable_directory: Path, script_interpreter: Interpreter
) -> None:
    root = readable_directory / f"known{PERSISTENT.index(name)}"
    row = replace(ROWS[name], by_root=False, prefix="/app")
    with readable_by_all():
        script = persistent(root, script_interpreter)
        started = printed(
            name, row, root, script, script_interpreter, guard=GUARDS[name],
            options=["--persistent"],
        )  # fmt: skip
        with started as server:
            for wrong in ([], ["--user", "Aladdin:x"], ["--user", "admin:x"]):
                for path in ("", "/", "/a"):
                    assert curl(server.base_url + path, *wrong).status == 401
            answer = curl(f"{server.base_url}/a", "--user", "Aladdin:open sesame")
            assert answer.status == 200, server.error_log()
            assert answer.json()[:5] == ["/app", "/a", "", "Aladdin", "Basic"]


@pytest.mark.parametrize("name", ["nginx-fastcgi", "nginx-scgi", "nginx-fcgiwrap"])
def test_a_visitor_who_is_asked_for_no_password_has_no_name(
    name: str, readable_directory: Path, script_interpreter: Interpreter
) -> None:
    """nginx takes $remote_user from a field that anybody sends: curl -u admin:x."""
    root = readable_directory / f"stranger-{name}"
    row = replace(ROWS[name], by_root=False)
    with readable_by_all():
        scripts = persistent(root, script_interpreter).parent
        with printed(name, row, root, scripts, script_interpreter) as server:
            answer = curl(server.url("app.py"), "--user", "admin:x")
            assert answer.json()[3:5] == ["", ""], server.error_log()
            text = next((root / "home").rglob("nginx*.conf")).read_text()
    # Whatever the site's own lines send: the last one counts
    assert len(re.findall(r"^ *\w+_param REMOTE_USER \"\";$", text, re.M)) == 1
    assert "$remote_user" not in text


@pytest.mark.parametrize("name", WSGI_ROWS)
def test_a_broken_script_leaves_the_others_in_peace(
    name: str, readable_directory: Path, script_interpreter: Interpreter
) -> None:
    """gunicorn did not boot; nor did it with a script that imports the module beside it."""
    root = readable_directory / f"broken-{name}"
    first = f"#!{script_interpreter.python}\nfrom cgikit import run\n"
    with readable_by_all():
        scripts = root / "scripts"
        for directory in (scripts, scripts / "deep"):
            directory.mkdir(parents=True)
            (directory / "beside.py").write_text(f"word = {directory.name!r}\n")
            (directory / "fine.py").write_text(
                f"{first}import beside\nrun(lambda request: beside.word)\n"
            )
        broken = {
            "raises.py": f"{first}1 / 0\nrun(print)\n",
            "leaves.py": f"{first}raise SystemExit(3)\nrun(print)\n",
            "unread.py": f"{first}run(\n",
            "missing.py": f"{first}import no_such_module\nrun(print)\n",
        }
        for file, text in broken.items():
            (scripts / file).write_text(text)
        for script in scripts.rglob("*.py"):
            script.chmod(0o644 if script.stem == "beside" else 0o755)
        row = replace(WSGI_ROWS[name], by_root=False)
        with printed(name, row, root, scripts, script_interpreter) as server:
            assert curl(server.url("fine.py")).text == "scripts", server.error_log()
            assert curl(server.url("deep/fine.py")).text == "deep", server.error_log()
            for file in broken:
                answer = curl(server.url(file))
                assert (answer.status, "log" in answer.text) == (500, True)
                assert f"{scripts / file} failed, and answers 500" in server.error_log()


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
