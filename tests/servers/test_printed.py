"""What `cgikit config` prints, where it is not easy: odd paths, no root, scripts at "/"."""

import contextlib
import io
import re
import shlex
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from ports import free_port
from requirement import has_address, need, need_address

from cgikit.cli import main
from cgikit.cli.config import RECIPES

from .curl import curl
from .fixtures import readable_by_all
from .guarded import APR1, BCRYPT, GUARDS, MD5, htpasswd
from .interpreter import ROOT, Interpreter
from .printed import printed, read_steps
from .rows import ROWS, WSGI_ROWS
from .server import LOOPBACK, LOOPBACK_6, NotStarted, listens, wait_until

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


#: What each takes no user from: a file of another server's, an empty one, none.
WRONG_USERS = {
    "htpasswd": f"Aladdin:{APR1}\n",
    "caddy": f"Aladdin {BCRYPT}\n",
    "busybox": f"/elsewhere:Aladdin:{MD5}\n",
    "empty": "",
    "missing": None,
}
READS_HTPASSWD = {name for name in GUARDS if GUARDS[name] is htpasswd}


@pytest.mark.parametrize("wrong", WRONG_USERS)
@pytest.mark.parametrize(
    "name", ["apache-mod_cgid", "nginx-fastcgi", "lighttpd-cgi", "caddy-fastcgi", "busybox-httpd"]
)
def test_a_file_of_users_that_is_wrong_lets_nobody_in(
    name: str, wrong: str, readable_directory: Path, script_interpreter: Interpreter
) -> None:
    """BusyBox took a line "Aladdin:…" for something else, and asked nobody for a password."""
    if {name, wrong} in ({"caddy-fastcgi", "caddy"},) or (
        name in READS_HTPASSWD and wrong == "htpasswd"
    ):
        return  # that is the right one
    root = readable_directory / f"wrong-{name}-{wrong}"
    with readable_by_all():
        scripts = root / "scripts"
        scripts.mkdir(parents=True)
        script = scripts / "a.py"
        ran = root / "home" / "ran"
        script.write_text(f"#!/bin/sh\ntouch {ran}\nprintf 'Content-Type: text/plain\\n\\nran'\n")
        script.chmod(0o755)
        if (text := WRONG_USERS[wrong]) is not None:
            (root / "users").write_text(text)
        options = ["--users", str(root / "users")]
        row = replace(ROWS[name], by_root=False)
        started = printed(name, row, root, scripts, script_interpreter, options=options)
        with contextlib.suppress(NotStarted, AssertionError), started as server:
            # Unless it has refused the file already
            for words in (
                [],
                ["--user", "Aladdin:open sesame"],
                ["--user", "Aladdin:"],
                ["--data", "x=1"],
            ):
                curl(server.url("a.py"), *words)
    assert not ran.exists(), f"{name} let somebody in with the file of {wrong}"


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


def units(text: str, to: Path) -> list[Path]:
    """The units that a printed script would install, as files."""
    found = re.findall(r"cat > /etc/systemd/system/(\S+) <<'END'\n(.*?)^END$", text, re.S | re.M)
    assert [Path(name).suffix for name, _ in found] == [".socket", ".service"]
    for name, unit in found:
        (to / name).write_text(unit)
    return [to / name for name, _ in found]


#: By server of `cgikit config`: more options.
UNITS = {
    "systemd": (),
    "systemd-gunicorn": (),
    "systemd ": ("--persistent",),
    "systemd  ": ("--env", "DB", "--memory", "100", "--timeout", "9", "--stderr", "server"),
}


@pytest.mark.parametrize("server", UNITS)
def test_units_are_what_systemd_expects(
    server: str, readable_directory: Path, script_interpreter: Interpreter, tmp_path: Path
) -> None:
    analyze = need("systemd-analyze")
    stays = "--persistent" in UNITS[server]
    name = "it's 100% odd" if stays else 'it\'s 100% $HOME "here"'
    scripts = readable_directory / f"units{list(UNITS).index(server)}" / name
    scripts.mkdir(parents=True)
    root = scripts
    if stays:  # the program of a unit, and a directory, can be said in fewer characters
        root = scripts.parent / "100%.py"
        root.touch(mode=0o755)
    config = [str(script_interpreter.directory / "bin" / "cgikit"), "config", server.strip()]
    command = [*config, str(root), *UNITS[server]]
    printed = subprocess.run(command, capture_output=True, text=True, check=True)
    paths = units(printed.stdout, tmp_path)
    done = subprocess.run([analyze, "verify", *paths], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    service = paths[1].read_text()
    assert f"\nEnvironmentFile=-/etc/cgikit/{paths[1].stem}.env\n" in service
    if server == "systemd":
        # What systemd reads as its arguments: an escape of its own, the dollar's and the percent's
        started = re.findall(r"^ExecStart=(.*)$", service, re.M)[0]
        assert started.endswith(
            '"it\'s 100%% $$HOME \\"here\\"" "--prefix" "/cgi-bin"'.replace(
                '"it', f'"{scripts.parent}/it'
            )
        )


@pytest.mark.parametrize("server", UNITS)
def test_the_sandbox_of_the_units_is_what_scripts_bear(
    server: str, readable_directory: Path, script_interpreter: Interpreter, tmp_path: Path
) -> None:
    """`systemd-analyze security` gave 6.7 of 10."""
    analyze = need("systemd-analyze")
    root = readable_directory / f"sandbox{list(UNITS).index(server)}" / "app.py"
    root.parent.mkdir()
    root.touch(mode=0o755)
    config = [str(script_interpreter.directory / "bin" / "cgikit"), "config", server.strip()]
    served = root if "--persistent" in UNITS[server] else root.parent
    command = [*config, str(served), *UNITS[server]]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    _, service = units(printed, tmp_path)
    command = [analyze, "security", "--offline=yes", str(service)]
    told = subprocess.run(command, capture_output=True, text=True).stdout
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", told)
    assert found
    assert float(found[1]) < 3
    # What would take from scripts what they may need is left out, and the unit says so
    for option in ("PrivateTmp", "MemoryDenyWriteExecute"):
        assert not re.search(rf"^{option}=", printed, re.M)
        assert re.search(rf"^# .*\b{option}=", printed, re.M)
    assert "\nProtectSystem=full\n" in printed


@pytest.mark.parametrize("server", ["systemd-gunicorn", "systemd", "systemd "])
def test_what_the_units_start_answers_on_the_socket_that_systemd_made(
    server: str, readable_directory: Path, script_interpreter: Interpreter, tmp_path: Path
) -> None:
    """With systemd's own program for one connection in place of the manager, which is not here."""
    activate = need("systemd-socket-activate")
    stays = "--persistent" in UNITS[server]
    root = readable_directory / f"started{list(UNITS).index(server)}"
    state = root / "state"
    config = [str(script_interpreter.directory / "bin" / "cgikit"), "config", server.strip()]
    with readable_by_all():
        script = persistent(root, script_interpreter)
        served = script if stays else root
        port = free_port()
        command = [*config, str(served), "--port", str(port), "--state", str(state), *UNITS[server]]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        state.mkdir()
        for saved in read_steps(text)["Save"]:
            subprocess.run(["sh", "-c", saved], check=True, capture_output=True)
    service = units(text, tmp_path)[1].read_text()
    start = shlex.split(re.findall(r"^ExecStart=(.*)$", service, re.M)[0])
    environ = {"PATH": "/usr/bin:/bin"}
    for setting in re.findall(r"^Environment=(.*)$", service, re.M):
        name, _, value = shlex.split(setting)[0].partition("=")
        environ[name] = value
    where = re.findall(r"^WorkingDirectory=(.*)$", service, re.M)
    socket = tmp_path / "s"
    web = server == "systemd-gunicorn"
    address = f"{LOOPBACK}:{port}" if web else str(socket)
    given = [option for name in environ for option in ("-E", name)]
    process = subprocess.Popen(
        [activate, "-l", address, *given, *start], cwd=where[0] if where else "/", env=environ,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        if web:
            wait_until(lambda: listens(LOOPBACK, port), process, tmp_path / "none")
            answer = curl(f"http://{address}/cgi-bin/app.py/a").json()
            assert answer[:2] == ["/cgi-bin/app.py", "/a"]
        else:
            wait_until(lambda: socket.exists() or None, process, tmp_path / "none")
            variables = {
                "SCRIPT_NAME": "/app" if stays else "/cgi-bin/app.py",
                "PATH_INFO": "/a" if stays else "",
                "REQUEST_METHOD": "GET",
                "QUERY_STRING": "",
                "SERVER_PROTOCOL": "HTTP/1.1",
            }
            asked = subprocess.run(
                [need("cgi-fcgi"), "-bind", "-connect", str(socket)],
                env=variables, capture_output=True, text=True, timeout=60,
            )  # fmt: skip
            assert f'"{variables["SCRIPT_NAME"]}"' in asked.stdout, asked
    finally:
        process.terminate()
        process.wait(60)


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
