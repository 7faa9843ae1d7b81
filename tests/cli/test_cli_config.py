"""The command `cgikit config`: what it prints and refuses. tests/servers starts what it prints."""

import os
import pwd
import re
import shlex
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from nobody import as_nobody
from requirement import need

from cgikit.cli import main
from cgikit.cli.config import RECIPES
from cgikit.cli.config.account import first_closed_directory, group_of
from cgikit.cli.config.quoting import Unsayable, apache, caddy, lighttpd, nginx, systemd

SERVERS = sorted(RECIPES)
WITH_SNIPPET = sorted(name for name in RECIPES if RECIPES[name].snippet)
#: These run scripts through a socket of ours.
BEHIND = sorted(name for name in RECIPES if RECIPES[name].gateway)
#: These serve a script that answers over FastCGI by itself.
PERSISTENT = sorted(name for name in RECIPES if RECIPES[name].persistent)
#: These install something.
BY_ROOT = sorted(name for name in RECIPES if RECIPES[name].by_root)


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """A directory with one script."""
    directory = tmp_path / "cgi-bin"
    directory.mkdir()
    script = directory / "hello.py"
    script.write_text("#!/usr/bin/env python3\n")
    script.chmod(0o755)
    return directory


def ask(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    """The exit status and what was written to standard output and standard error."""
    try:
        status = main(["config", *map(str, words)])
    except SystemExit as ended:
        status = int(str(ended.code))
    written = capsys.readouterr()
    return status, written.out, written.err


def text(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    """What is printed, where nothing may go wrong."""
    status, out, _ = ask(capsys, *words)
    assert status == 0
    return out


def commands(printed: str, label: str) -> list[str]:
    """The command lines below a label of the first comment."""
    found = re.search(rf"^# {label}:\n((?:#     .*\n)+)", printed, re.M)
    return re.findall(r"^#     (.*)$", found[1], re.M) if found else []


def body(printed: str) -> list[str]:
    """The lines that are no comment."""
    lines = (line.strip() for line in printed.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


# --- the command -------------------------------------------------------------------------------


def test_list_names_every_server_with_a_line_about_it(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = ask(capsys, "--list")
    assert status == 0
    assert [line.split()[0] for line in out.splitlines()] == list(RECIPES)
    assert all(len(line) <= 120 for line in out.splitlines())


def test_an_unknown_server_is_told_the_names(
    capsys: pytest.CaptureFixture[str], scripts: Path
) -> None:
    status, out, err = ask(capsys, "iis", scripts)
    assert (status, out) == (2, "")
    assert "'iis'" in err
    assert all(name in err for name in SERVERS)


def test_a_misspelt_server_is_answered_with_the_one_that_was_meant_first(
    capsys: pytest.CaptureFixture[str], scripts: Path
) -> None:
    """It stood behind 21 names, and the status was that of a failure."""
    assert ask(capsys, "ngnix", scripts) == (
        2,
        "",
        "cgikit config: 'ngnix' is not a known server; did you mean nginx?\n",
    )


def test_a_root_must_be_a_directory_or_a_script(
    capsys: pytest.CaptureFixture[str], scripts: Path
) -> None:
    (scripts / "off.py").touch()
    for root, what in (
        (scripts / "none", "is not a directory"),
        (scripts / "off.py", "is not a directory and not executable"),
    ):
        status, out, err = ask(capsys, "nginx", root)
        assert (status, out) == (1, "")
        assert f"{root} {what}" in err


@pytest.mark.parametrize("server", SERVERS)
def test_one_script_is_served_where_cgikit_runs_it(
    capsys: pytest.CaptureFixture[str], scripts: Path, server: str
) -> None:
    script = scripts / "hello.py"
    status, out, err = ask(capsys, server, script, "--prefix", "/app")
    if server in {*BEHIND, "systemd", "cgikit"}:
        assert status == 0
        assert str(script) in out
        path = {"cgikit": "/", "systemd": None}.get(server, "/app")
        assert commands(out, "Try") == ([f"curl http://127.0.0.1:8080{path}"] if path else [])
    else:
        assert (status, out) == (1, "")
        assert f"{server} cannot serve a single script" in err


@pytest.mark.parametrize(
    "words",
    [[], ["nginx"], ["nginx", ".", "--port", "0"], ["nginx", ".", "--port", "٣"],
     ["nginx", ".", "--listen", "fe80::1%eth0"], ["nginx", ".", "--listen", "localhost; }"],
     ["nginx", ".", "--prefix", "cgi-bin"], ["nginx", ".", "--prefix", "/a b"],
     ["nginx", ".", "--prefix", "/../x"], ["nginx", ".", "--prefix", "/x;}"],
     ["nginx", ".", "--env", "A=1"], ["nginx", ".", "--pass", "HTTP_PROXY"],
     ["nginx", ".", "--memory", "1"], ["nginx", ".", "--timeout", "0"],
     ["nginx", ".", "--user", "www data"], ["nginx", ".", "--user", "-x"]],
)  # fmt: skip
def test_wrong_usage(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    status, out, err = ask(capsys, *words)
    assert (status, out) == (2, "")
    assert err


@pytest.mark.parametrize("server", SERVERS)
def test_the_command_to_save_it_prints_the_same_again(
    capsys: pytest.CaptureFixture[str],
    scripts: Path,
    server: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(scripts.parent)
    state = "here" if server in {"caddy", *BY_ROOT} else "it's here"  # what they can say
    options = ["--port", 8123, "--state", state]
    printed = text(capsys, server, "cgi-bin", *options)
    line = commands(printed, "Save")[-1]
    command, _, file = line.rpartition(" > ")
    words = shlex.split(command)
    assert Path(shlex.split(file)[0]).parent == scripts.parent / state
    monkeypatch.chdir("/")
    assert text(capsys, *words[words.index("config") + 1 :]) == printed


def test_it_runs_as_it_is_installed(scripts: Path) -> None:
    command = [sys.executable, "-m", "cgikit", "config", "nginx", str(scripts)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("# nginx in front of cgikit fastcgi")


@pytest.mark.parametrize("server", SERVERS)
def test_its_own_command_is_named_by_its_path_whatever_is_on_the_path_here(
    capsys: pytest.CaptureFixture[str],
    scripts: Path,
    server: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The terminal that a command is pasted into has no virtual environment on its PATH."""
    here = os.path.dirname(sys.executable)
    monkeypatch.setenv("PATH", f"{here}:{os.environ['PATH']}")
    printed = text(capsys, server, scripts)
    for line in (*commands(printed, "Save"), *commands(printed, "Scripts"), *body(printed)):
        assert not re.search(r"(^|[ =])cgikit (config|fastcgi|scgi|serve) ", line)
    assert f"{here}/" in printed


def test_a_url_to_try_is_that_of_a_script_or_there_is_none(
    capsys: pytest.CaptureFixture[str], scripts: Path
) -> None:
    """`curl …/cgi-bin/SCRIPT`, for a directory without one, can only be a 404."""
    (scripts / "hello.py").rename(scripts / ".hello.py")  # hidden: it has no URL
    (scripts / "data.txt").touch()
    printed = text(capsys, "nginx", scripts)
    assert "curl" not in printed
    assert "This directory has no executable script yet" in printed
    (scripts / "count.py").touch(mode=0o755)
    printed = text(capsys, "nginx", scripts)
    assert commands(printed, "Try") == ["curl http://127.0.0.1:8080/cgi-bin/count.py"]
    assert "can be run yet" not in printed


def test_a_directory_that_is_closed_to_us_says_so_with_the_remedy(tmp_path: Path) -> None:
    """`cgikit: /…/locked: Permission denied`: another command's name, and nothing to do."""
    locked = tmp_path / "locked"
    (locked / "cgi-bin").mkdir(parents=True)
    locked.chmod(0)
    try:
        for path, status, said in (
            ("locked", 0, "locked cannot be entered by this user: chmod a+rx locked"),
            ("locked/cgi-bin", 1, "locked/cgi-bin cannot be reached: Permission denied"),
        ):
            found = as_nobody(tmp_path, "config", "nginx", path)
            assert found == (status, f"cgikit config: {said}\n")
    finally:
        locked.chmod(0o700)


def test_a_file_of_users_that_is_not_there_is_told(
    capsys: pytest.CaptureFixture[str], scripts: Path
) -> None:
    people = scripts.parent / "people"
    told = f"cgikit config: there is no file {people}, which --users names"
    status, out, err = ask(capsys, "nginx", scripts, "--users", people)
    assert status == 0
    assert out
    assert told in err
    people.touch()
    assert told not in ask(capsys, "nginx", scripts, "--users", people)[2]


def test_a_persistent_script_begins_in_its_own_directory_wherever_the_terminal_stands(
    capsys: pytest.CaptureFixture[str], scripts: Path, tmp_path: Path
) -> None:
    """Its `data/` was made where the command was typed."""
    need("spawn-fcgi")
    script = scripts / "hello.py"
    script.write_text("#!/bin/sh\npwd -P > found\n")
    here = tmp_path / "elsewhere"
    here.mkdir()
    user = ["--user", "root"] if os.geteuid() == 0 else []
    words = ["nginx", script, "--persistent", "--socket", tmp_path / "s", *user]
    (side,) = commands(text(capsys, *words), "Scripts")
    subprocess.run(["sh", "-c", side], cwd=here, check=True, stdin=subprocess.DEVNULL, timeout=60)
    assert list(here.iterdir()) == []
    assert (scripts / "found").read_text() == f"{scripts.resolve()}\n"


# --- the text ----------------------------------------------------------------------------------


@pytest.mark.parametrize("server", SERVERS)
def test_the_first_lines_say_how_to_start_it(
    capsys: pytest.CaptureFixture[str], scripts: Path, server: str
) -> None:
    printed = text(capsys, server, scripts, "--port", 8123)
    assert printed.splitlines()[printed.startswith("#!")].startswith("# ")
    assert all(commands(printed, label) for label in ("Prepare", "Save", "Start"))
    assert bool(commands(printed, "Scripts")) is (server in BEHIND or server == "nginx-fcgiwrap")
    prefix = "" if RECIPES[server].prefixless else "/cgi-bin"
    url = f"http://127.0.0.1:8123{prefix}/hello.py"
    assert commands(printed, "Try") == ([] if server == "systemd" else [f"curl {url}"])
    comments = [line for line in printed.splitlines() if re.match("# +[A-Z]", line)]
    assert all(len(line) <= 100 for line in comments)


@pytest.mark.parametrize("given", ["::1", "[::1]", "0:0:0:0:0:0:0:1"])
def test_an_address_of_ipv6_is_in_brackets_before_a_port(
    capsys: pytest.CaptureFixture[str], scripts: Path, given: str
) -> None:
    printed = text(capsys, "nginx", scripts, "--port", 8123, "--listen", given)
    assert commands(printed, "Try") == ["curl 'http://[::1]:8123/cgi-bin/hello.py'"]
    assert "listen [::1]:8123;" in body(printed)


@pytest.mark.parametrize("server", BEHIND)
def test_root_and_web_server_meet_at_the_socket(
    capsys: pytest.CaptureFixture[str], scripts: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The 502: the scripts' side runs as the user whose workers connect, and owns its directory."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    printed = text(capsys, server, scripts, "--state", "/srv/s", "--user", "nobody")
    group = group_of("nobody")
    (side,) = commands(printed, "Scripts")
    assert side.startswith(f"setpriv --reuid=nobody --regid={group} --init-groups ")
    assert "--socket /srv/s/run/cgikit.sock" in side
    assert f"install -d -o nobody -g {group} /srv/s/run" in commands(printed, "Prepare")
    assert "/srv/s/run/cgikit.sock" in "\n".join(body(printed))
    if server == "caddy":
        assert commands(printed, "Start")[0].startswith("setpriv --reuid=nobody")
    else:
        assert re.search(r"^ *(user|User|server\.username =) \"?nobody\b", printed, re.M)


def test_an_ordinary_user_changes_none(
    capsys: pytest.CaptureFixture[str], scripts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.chdir(scripts.parent)
    for server in sorted(set(SERVERS) - set(BY_ROOT)):
        printed = text(capsys, server, scripts)
        assert "setpriv" not in printed
        assert "www-data" not in printed
        assert f"install -d {scripts.parent / 'cgikit-state'}" in commands(printed, "Prepare")[0]


@pytest.mark.parametrize("server", WITH_SNIPPET)
def test_a_snippet_is_a_part_of_the_whole(
    capsys: pytest.CaptureFixture[str], scripts: Path, server: str
) -> None:
    whole = body(text(capsys, server, scripts, "--state", "/srv/s", "--user", "nobody"))
    snippet = text(capsys, server, scripts, "--state", "/srv/s", "--user", "nobody", "--snippet")
    lines = body(snippet)
    start = whole.index(lines[0])
    assert whole[start : start + len(lines)] == lines
    assert len(lines) < len(whole)
    assert commands(snippet, "Paste")
    assert not commands(snippet, "Start")


def test_no_snippet_where_there_is_nothing_to_paste_it_into(
    capsys: pytest.CaptureFixture[str], scripts: Path
) -> None:
    for server in set(SERVERS) - set(WITH_SNIPPET):
        status, out, err = ask(capsys, server, scripts, "--snippet")
        assert (status, out) == (1, "")
        assert "pasted" in err


def test_a_prefix_that_a_server_cannot_have(
    capsys: pytest.CaptureFixture[str], scripts: Path
) -> None:
    assert ask(capsys, "busybox", scripts, "--prefix", "/scripts")[0] == 1
    for server in ("busybox", "mini-httpd", "python", "nginx-fcgiwrap"):
        assert ask(capsys, server, scripts, "--prefix", "/")[0] == 1


def test_a_socket_path_that_no_socket_can_have(
    capsys: pytest.CaptureFixture[str], scripts: Path
) -> None:
    status, _, err = ask(capsys, "nginx", scripts, "--socket", "/" + "x" * 107)
    assert status == 1
    assert "107 bytes" in err
    assert ask(capsys, "nginx", scripts, "--socket", "/" + "x" * 106)[0] == 0


def test_a_directory_that_the_user_cannot_enter_is_told(
    capsys: pytest.CaptureFixture[str], scripts: Path
) -> None:
    scripts.parent.chmod(0o700)
    if pwd.getpwnam("nobody").pw_uid == os.geteuid():
        pytest.fail("the tests must not run as nobody")
    status, out, err = ask(capsys, "nginx", scripts, "--user", "nobody")
    assert status == 0
    assert out
    assert "nobody cannot enter " in err
    assert ": move the scripts out of " in err


@pytest.mark.parametrize("server", [*BEHIND, "systemd"])
def test_options_of_the_scripts_side_are_handed_through(
    capsys: pytest.CaptureFixture[str], scripts: Path, server: str
) -> None:
    options = ["--env", "DB", "--env", "X", "--pass", "OIDC_*", "--memory", 2048]
    options += ["--timeout", 120, "--body", 50]
    options += ["--stderr", "log" if server.endswith("scgi") else "server", "--compat"]
    printed = text(capsys, server, scripts, *options)
    if server == "systemd":
        command = re.findall(r"^ExecStart=(.*)$", printed, re.M)[0]
        assert '#Environment="DB=..."\n' in printed
    else:
        (command,) = commands(printed, "Scripts")
    assert shlex.split(command)[-len(options) :] == [str(word) for word in options]
    # The text says by which command it was made
    saved = shlex.split(commands(printed, "Save")[-1].rpartition(" > ")[0])
    assert text(capsys, *saved[saved.index("config") + 1 :]) == printed


@pytest.mark.parametrize(
    ("server", "lines"),
    [
        ("nginx", ["fastcgi_read_timeout 135s;", "client_max_body_size 50m;"]),
        ("nginx-scgi", ["scgi_read_timeout 135s;", "client_max_body_size 50m;"]),
        ("apache-fastcgi", ["timeout=135 ", "LimitRequestBody 52428800", "SetEnv proxy-sendcl 1"]),
        ("apache-scgi", ["timeout=135 ", "LimitRequestBody 52428800"]),
        ("lighttpd-fastcgi", ["server.max-request-size = 51200"]),
        ("caddy", ["max_size 50MiB"]),
    ],
)
def test_the_web_servers_own_limits_leave_room_for_the_scripts_sides(
    capsys: pytest.CaptureFixture[str], scripts: Path, server: str, lines: list[str]
) -> None:
    printed = text(capsys, server, scripts, "--timeout", 120, "--body", 50)
    for line in lines:
        assert line in printed


@pytest.mark.parametrize("server", sorted(set(SERVERS) - set(BEHIND) - {"systemd"}))
def test_options_that_nobody_would_obey_are_refused(
    capsys: pytest.CaptureFixture[str], scripts: Path, server: str
) -> None:
    for option, value in (("--env", "X"), ("--pass", "X"), ("--memory", 64), ("--timeout", 9)):
        status, out, err = ask(capsys, server, scripts, option, value)
        assert (status, out) == (1, "")
        assert option in err


@pytest.mark.parametrize("server", sorted(set(SERVERS) - set(BEHIND) - {"systemd", "cgikit"}))
def test_compat_without_a_command_of_ours_is_refused_with_a_way(
    capsys: pytest.CaptureFixture[str], scripts: Path, server: str
) -> None:
    status, out, err = ask(capsys, server, scripts, "--compat")
    assert (status, out) == (1, "")
    assert "--compat" in err
    assert "cgikit vendor cgi" in err


def test_the_command_serve_gets_compat_too(
    capsys: pytest.CaptureFixture[str], scripts: Path
) -> None:
    assert re.search(r" serve .* --compat$", text(capsys, "cgikit", scripts, "--compat"), re.M)
    assert "--compat" not in text(capsys, "cgikit", scripts)


def test_a_persistent_script_has_no_compat(
    capsys: pytest.CaptureFixture[str], scripts: Path
) -> None:
    status, _, err = ask(capsys, "nginx", scripts / "hello.py", "--persistent", "--compat")
    assert status == 1
    assert "--compat is an option of cgikit fastcgi" in err


def test_the_unit_says_what_set_gid_mailers_need(
    capsys: pytest.CaptureFixture[str], scripts: Path
) -> None:
    printed = text(capsys, "systemd", scripts)
    before, _, after = printed.partition("NoNewPrivileges=yes\n")
    assert "postdrop" in before
    # systemd.exec says of these that each implies it
    for name in ("PrivateDevices", "ProtectClock", "RestrictSUIDSGID", "LockPersonality"):
        assert f"\n{name}=yes\n" in f"\n{after}"


def test_an_interpreter_that_the_user_cannot_run_is_told(
    capsys: pytest.CaptureFixture[str],
    scripts: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """The command's own way to it is open, and what the link leads to is not."""
    top = next(p for p in (Path("/var/tmp"), Path("/tmp")) if p.stat().st_mode & stat.S_IXOTH)
    with tempfile.TemporaryDirectory(dir=top) as name:
        place = Path(name)
        place.chmod(0o755)
        closed = place / "closed"
        closed.mkdir(mode=0o700)
        (closed / "python3").touch(mode=0o755)
        (place / "python").symlink_to(closed / "python3")
        monkeypatch.setattr(sys, "executable", str(place / "python"))
        status, out, err = ask(capsys, "nginx", scripts, "--user", "nobody")
        assert status == 0
        assert out
        assert f"nobody cannot enter {closed}, and so cannot run {closed / 'python3'}" in err
        assert (
            f": make a virtual environment from a Python outside {closed} and install cgikit there,"
            f" allow it with chmod o+rx {closed}, or choose another user with --user\n"
        ) in err
        closed.chmod(0o755)
        (closed / "python3").chmod(0o700)
        _, _, err = ask(capsys, "nginx", scripts, "--user", "nobody")
        assert f"nobody cannot run {closed / 'python3'}" in err


# --- who can enter what ------------------------------------------------------------------------


def test_it_names_the_first_closed_directory(tmp_path: Path) -> None:
    top = next(p for p in (Path("/var/tmp"), Path("/tmp")) if p.stat().st_mode & stat.S_IXOTH)
    assert first_closed_directory(str(top), "nobody") is None
    closed = tmp_path / "closed" / "open"
    closed.mkdir(parents=True)
    (tmp_path / "closed").chmod(0o711)
    outer = first_closed_directory(str(tmp_path), "nobody")  # pytest's own directories are 0700
    assert outer in [str(p) for p in (tmp_path, *tmp_path.parents)]
    assert first_closed_directory(str(tmp_path), "root") is None
    assert first_closed_directory(str(tmp_path), "no-such-user") is None
    assert first_closed_directory(str(tmp_path / "missing" / "x"), "root") is None


def test_group_of_an_unknown_user_is_its_name() -> None:
    assert group_of("no-such-user") == "no-such-user"


# --- quoting -----------------------------------------------------------------------------------


def test_quotes() -> None:
    assert nginx('a "b" \\c') == '"a \\"b\\" \\\\c"'
    assert apache('a "b"') == '"a \\"b\\""'
    assert lighttpd("it's") == '"it\'s"'
    assert caddy('a "b"') == '"a \\"b\\""'
    assert systemd('100% $HOME "\\') == '"100%% $$HOME \\"\\\\"'


@pytest.mark.parametrize(
    ("quote", "characters"),
    [(nginx, "$"), (apache, "$%*?[]|#\\"), (lighttpd, '"\\'), (caddy, "{}\\`")],
)
def test_what_a_syntax_cannot_say_is_refused(quote: object, characters: str) -> None:
    for character in characters + "\n\0\x7f\u2028\udcff":
        with pytest.raises(Unsayable, match=re.escape(repr(character))):
            quote(f"/srv/{character}x")  # type: ignore[operator]


# --- who is asked for a password, and scripts that stay ----------------------------------------


@pytest.mark.parametrize("server", SERVERS)
def test_a_password_is_asked_for_or_the_option_is_refused(
    capsys: pytest.CaptureFixture[str], scripts: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never printed as if it were: a page that nobody guards."""
    monkeypatch.chdir(scripts.parent)
    status, out, err = ask(capsys, server, scripts, "--users", "people")
    if RECIPES[server].asks:
        assert status == 0
        assert str(scripts.parent / "people") in "\n".join(body(out))
        saved = shlex.split(commands(out, "Save")[-1].rpartition(" > ")[0])
        assert text(capsys, *saved[saved.index("config") + 1 :]) == out
    else:
        assert (status, out) == (1, "")
        assert "--users" in err


@pytest.mark.parametrize("server", SERVERS)
def test_a_persistent_script_is_served_or_refused(
    capsys: pytest.CaptureFixture[str], scripts: Path, server: str
) -> None:
    status, out, err = ask(capsys, server, scripts / "hello.py", "--persistent")
    if server not in PERSISTENT:
        assert (status, out) == (1, "")
        assert "script" in err
        return
    assert status == 0
    assert "cgikit fastcgi" not in "\n".join(body(out))
    saved = shlex.split(commands(out, "Save")[-1].rpartition(" > ")[0])
    assert text(capsys, *saved[saved.index("config") + 1 :]) == out
    if server != "systemd":
        (side,) = commands(out, "Scripts")
        assert side.endswith(f"hello.sock -M 0600 -- {scripts / 'hello.py'}")
    status, out, err = ask(capsys, server, scripts, "--persistent")
    assert (status, out) == (1, "")
    assert "is a directory" in err
    for option in (["--memory", 100], ["--pass", "X"]):
        status, out, err = ask(capsys, server, scripts / "hello.py", "--persistent", *option)
        assert (status, out) == (1, "")
        assert str(option[0]) in err


def test_a_user_who_does_not_exist_is_refused(
    capsys: pytest.CaptureFixture[str], scripts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--user nosuch` was printed, and setpriv failed later."""
    status, out, err = ask(capsys, "nginx", scripts, "--user", "no-such-user")
    assert (status, out) == (1, "")
    assert "there is no user 'no-such-user'" in err
    assert "useradd" in err
    monkeypatch.setattr("cgikit.cli.config.web_user", lambda: "no-such-user")
    status, out, err = ask(capsys, "systemd", scripts)
    assert (status, bool(out)) == (0, True)
    assert "there is no user 'no-such-user'" in err


def test_the_help_says_in_what_each_number_is(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = ask(capsys, "--help")
    for option, unit in (("--memory", "MiB"), ("--timeout", "seconds"), ("--body", "MiB")):
        found = re.search(rf"^ +{option} N +(.*)$", out, re.M)
        assert found
        assert unit in f"{found[1]} "


def test_where_standard_error_goes_is_handed_through_or_refused(
    capsys: pytest.CaptureFixture[str], scripts: Path
) -> None:
    status, out, err = ask(capsys, "nginx-scgi", scripts, "--stderr", "server")
    assert (status, out) == (1, "")
    assert "SCGI" in err
    stays = [scripts / "hello.py", "--persistent", "--stderr", "server"]
    (side,) = commands(text(capsys, "nginx", *stays), "Scripts")
    assert "CGIKIT_STDERR=server" in side
    assert "\nEnvironment=CGIKIT_STDERR=server\n" in text(capsys, "systemd", *stays)
