"""Every command and configuration of README.md and docs/**/*.md does what the page says.

Each block that is not Python is run in a fresh folder, or is in `NOT_RUN` with the reason why not; a
block that is neither fails. `/srv` is a folder of the test, and a port is one that is free:

- a `console` block that follows no script: its commands are run, and their output is compared. So a
  page shows of a configuration only what `cgikit config` prints. If it asks port 8000, `cgikit serve`
  serves the folder meanwhile;
- the files of a folder that is named as the page, beside it, lie in the folder;
- a `sh` block: run, and it must end well; or it is in `SERVES`, with what must be there then;
- a `text` block shows something that another block, or a program, makes: `NOT_RUN` says which.
"""

import argparse
import contextlib
import os
import pwd
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from house import ROOT
from ports import free_port
from requirement import need
from serving import DEADLINE, until
from test_docs import ALL, EXAMPLES, PAGES, RUN_LIMIT, Block, blocks, matches, title

from cgikit import cli

BLOCKS = [*ALL, *blocks(ROOT / "benchmarks" / "README.md")]

REFUSED_TO_ROOT = "refused to root, and about a home; tests/accelerate runs it"
#: By page and the beginning of the first line: why nobody runs this block.
NOT_RUN = {
    (
        "reference/accelerate.md",
        "cgikit accelerate --in-place ~/public_html/cgi-bin/guestbook.py",
    ): REFUSED_TO_ROOT,
    (
        "reference/accelerate.md",
        "cgikit accelerate ~/public_html/cgi-bin/guestbook.py",
    ): REFUSED_TO_ROOT,
    (
        "deploy/accelerate.md",
        "cgikit accelerate ~/public_html/cgi-bin/guestbook.py",
    ): REFUSED_TO_ROOT,
    (
        "deploy/accelerate.md",
        "cgikit accelerate ~/public_html/cgi-bin",
    ): REFUSED_TO_ROOT,
    (
        "deploy/accelerate.md",
        "cgikit accelerate --check ~/public_html/cgi-bin/guestbook.py",
    ): REFUSED_TO_ROOT,
    (
        "deploy/accelerate.md",
        "cgikit accelerate --in-place ~/public_html/cgi-bin/guestbook.py",
    ): REFUSED_TO_ROOT,
    (
        "deploy/accelerate.md",
        "cgikit accelerate --check --in-place ~/public_html/cgi-bin/guestbook.p",
    ): REFUSED_TO_ROOT,
    (
        "deploy/accelerate.md",
        "cgikit accelerate --status ~/public_html/cgi-bin/guestbook.py",
    ): REFUSED_TO_ROOT,
    (
        "deploy/accelerate.md",
        "cgikit accelerate --undo ~/public_html/cgi-bin/guestbook.py",
    ): REFUSED_TO_ROOT,
    (
        "deploy/accelerate.md",
        "guestbook.py:",
    ): "what --status says after requests; tests/accelerate/test_accelerate_standing.py makes them",
    (
        "deploy/accelerate.md",
        "without:",
    ): "a picture; tests/servers/test_accelerated.py has the processes",
    ("README.md", "make demo"): "runs for ever; `make test` runs this test",
    (
        "README.md",
        "python3 -m venv ~/cgikit",
    ): "downloads; tests/servers/interpreter.py installs a clone so",
    ("benchmarks/README.md", "make bench"): "takes minutes",
    ("benchmarks/README.md", "make bench-gateways"): "takes half an hour",
    ("benchmarks/README.md", "python3 benchmarks/fork.py"): "takes a minute of both cores",
    (
        "understand/performance.md",
        "python3 benchmarks/fork.py --rounds 5 --requests 600 --latency",
    ): "takes minutes of both cores",
    (
        "reference/compat.md",
        "python3 benchmarks/run.py --python python3.13 --quick --works old-get,",
    ): "takes minutes, and another Python",
    (
        "deploy/config.md",
        "htpasswd -c /srv/site/users Aladdin",
    ): "asks for a password at a terminal; tests/servers/guarded.py has a file that it made",
    (
        "deploy/config.md",
        "Aladdin $2a$14$...",
    ): "a file of users, which tests/servers/guarded.py reads",
    (
        "deploy/config.md",
        "/cgi-bin:Aladdin:$1$...",
    ): "a file of users, which tests/servers/guarded.py reads",
    ("deploy/systemd.md", "install -d -m 0700 /etc/cgikit"): "writes to /etc, as root",
    **{
        (
            f"deploy/{name}.md",
            f"apt-get install {packages} python3-venv curl",
        ): "installs packages; "
        "tests/servers/test_deploy_pages.py does the rest of the page on Debian's own configuration"
        for name, packages in (
            ("nginx", "nginx"),
            ("apache", "apache2"),
            ("lighttpd", "lighttpd"),
            ("caddy", "caddy"),
        )
    },
    **{
        (
            f"deploy/{name}.md",
            f"cgikit check --no-run --user {user} --path /opt/cgikit/bin:/usr/bin:/bin /srv"[:70],
        ): "needs /opt/cgikit; tests/servers/test_deploy_pages.py checks with its own"
        for name, user in (
            ("nginx", "www-data"),
            ("apache", "www-data"),
            ("lighttpd", "www-data"),
            ("caddy", "caddy"),
        )
    },
    **{
        (f"deploy/{name}.md", "curl http://127.0.0.1/cgi-bin/hello.py"): "needs the server of the "
        "page; tests/servers/test_deploy_pages.py asks it"
        for name in ("nginx", "apache", "lighttpd", "caddy")
    },
    (
        "deploy/containers.md",
        "FROM debian:bookworm-slim",
    ): "builds an image, which needs a registry",
    ("deploy/updates.md", "/opt/cgikit/bin/pip install --upgrade /path/to/cgikit"): "installs",
    ("start/first-page.md", "NameError: name 'nmae' is not defined"): "of a page in the browser; "
    "tests/test_docs_start.py looks there",
    ("start/install.md", "python3 -m venv ~/cgikit"): "downloads; tests/servers/interpreter.py "
    "installs a clone so",
    (
        "reference/trace.md",
        "hello.py: exit status 0, 196 bytes; the run with the median time, of 2",
    ): "times differ from run to run",
    ("deploy/shared-hosting.md", "#!/bin/sh"): "a script for another machine",
    (
        "deploy/shared-hosting.md",
        "cgikit bundle list.py -o upload --python 3.11 --interpreter /usr/bin/p",
    ): "needs the script above; tests/servers/test_shared_hosting.py bundles it",
    (
        "deploy/shared-hosting.md",
        "Options +ExecCGI -Indexes",
    ): "tests/servers/test_shared_hosting.py serves it",
    (
        "reference/expiring.md",
        "cgikit-expiring 2 5f0c3b9f6f0e4d6c8a7f3f2f1f0e5d4c 1764198000000",
    ): "the format of a file, with a random key; tests/test_expiringfile.py builds it",
    (
        "reference/migrate.md",
        "cgi-bin/form.py:12: the FieldStorage (made in line 9) stays: the progr",
    ): "lines of a report, which tests/cli/test_cli_migrate.py compares",
    ("from/cgi.md", "#!/usr/bin/env -S python3 -m cgikit.compat"): "the first line of a script; "
    "tests/compat/test_compat_finder.py runs the module",
    (
        "from/cgi.md",
        "-import cgi, cgitb",
    ): "a change; tests/migration runs scripts before and after theirs",
    (
        "gallery/board.md",
        "mkdir -p data/board && chmod 700 data",
    ): "asks for a password at a terminal; tests/gallery/test_board.py sets one",
    (
        "gallery/counter.md",
        '<img src="/cgi-bin/counter.py?style=led&amp;digits=6" alt="Visitors">',
    ): "tests/servers/test_state_examples.py asks for it",
    (
        "gallery/guestbook.md",
        "mkdir -p data && chmod 700 data",
    ): "asks for a password at a terminal; tests/gallery/test_guestbook.py sets one",
    (
        "gallery/photos.md",
        "mkdir -p data && chmod 700 data",
    ): "asks for a password at a terminal; tests/gallery/test_photos.py sets one",
    (
        "gallery/machine.md",
        "mkdir -p data && chmod 700 data",
    ): "asks for a password at a terminal; tests/gallery/test_machine.py sets one",
    ("understand/performance.md", "make bench-gateways"): "takes half an hour",
    ("deploy/programs.md", "make test ARGS=tests/programs"): "runs tests, as this is one",
    (
        "reference/serve.md",
        "pip install '.[serve]'",
    ): "downloads; tests/servers/interpreter.py does it",
    (
        "reference/serve.md",
        "Serving cgi-bin at http://127.0.0.1:8000/ (Ctrl-C stops; /_cgikit/ sho",
    ): "what `cgikit serve` says; `test_the_pages_first_steps_with_serve` compares it",
    (
        "reference/sessions-command.md",
        "17 4 * * *",
    ): "a line for cron; its options are looked at below",
    (
        "reference/sessions-redis.md",
        "redis+sentinel://USER:PASSWORD@HOST:26379,HOST:26379,HOST:26379/SERVIC",
    ): "the form of a URL; tests/sessions/test_sessions_redisfailover.py uses one",
    (
        "reference/sessions-redis.md",
        "pip install '.[redis]'",
    ): "downloads; `make test` installs the extra",
    (
        "reference/sessions-sqlite.md",
        "mv sessions.db sessions.db-wal sessions.db-shm /somewhere/else/",
    ): "moves what running scripts have open, as tests/sessions/test_sessions_sqlite.py does",
    (
        "recipes/cron.md",
        "17 4 * * *",
    ): "a line for cron; the page's console runs the program",
    (
        "recipes/json-api.md",
        'const answer = await fetch("https://api.example.org/cgi-bin/tasks.py",',
    ): "tests/browser/test_browser_recipes.py runs it in Chromium",
    ("recipes/templates.md", "<!DOCTYPE html>"): "tests/recipes/test_recipes_pages.py renders both",
    (
        "understand/life-of-a-request.md",
        "cp -r docs/understand/life-of-a-request ~/life",
    ): "writes into the home directory; the folder of these tests is such a copy",
    ("tutorial/index.md", "1-form/guestbook.py"): "names of files",
    ("tutorial/1-form.md", "chmod +x 1-form/guestbook.py"): "serves; tests/tutorial visits it",
    (
        "tutorial/2-escape.md",
        '<script>alert("This is my page now")</script>',
    ): "tests/browser/test_browser_tutorial.py enters it",
    (
        "tutorial/2-escape.md",
        '<script>document.body.innerHTML = "<h1>Closed. Please pay at evil.exam',
    ): "tests/tutorial/pictures.py enters it",
    (
        "tutorial/2-escape.md",
        "chmod +x 2-escape/guestbook.py",
    ): "serves; tests/tutorial does the same",
    (
        "tutorial/3-file.md",
        "python3 crowd.py http://127.0.0.1:8000/guestbook.py",
    ): "needs a server; tests/tutorial runs it against one",
    (
        "tutorial/3-file.md",
        "20 visitors signed, 1 of their entries are in the book.",
    ): "differs from run to run; tests/tutorial expects less than 20",
    (
        "tutorial/3-file.md",
        "http://127.0.0.1:8000/guestbook.py: error page (500): look into its fi",
    ): "depends on who comes first; tests/tutorial does it",
    (
        "tutorial/3-file.md",
        "20 visitors signed, 20 of their entries are in the book.",
    ): "tests/tutorial expects it",
    (
        "tutorial/5-log-in.md",
        '<form action="http://127.0.0.1:8000/guestbook.py" method="post">',
    ): "tests/browser/test_browser_tutorial.py opens it",
    (
        "tutorial/5-log-in.md",
        "(cd 5-log-in && python3 guestbook.py password)",
    ): "asks at a terminal, and serves; tests/tutorial does both",
    (
        "tutorial/7-test.md",
        "ls 6-picture/data/guestbook-pictures",
    ): "after what is done in a browser; tests/tutorial sees it",
    (
        "tutorial/7-test.md",
        "cp 7-test/test_guestbook.py 6-picture/",
    ): "fails, as it says; tests/tutorial runs it",
    (
        "tutorial/7-test.md",
        "FAILED 6-picture/test_guestbook.py::test_what_is_deleted_is_gone - Ass",
    ): "tests/tutorial expects it",
    ("reference/warm.md", "supervisor"): "a drawing",
    (
        "reference/warm.md",
        "/catalog.py: its process serves no other request: email.charset.ALIASE",
    ): "a line of the log; tests/warm/test_warm_reuse.py has such lines written",
    (
        "reference/wsgi.md",
        "uwsgi --plugin python3 --http-socket 127.0.0.1:8080 --buffer-size 6553",
    ): "its plugin is the system's Python, which lacks cgikit: tests/servers/wsgi_servers.py has it",
}


def key(block: Block) -> tuple[str, str]:
    """What a block is known by in the tables: its first 70 characters, up to two spaces."""
    return title(block.page), re.split(r"\s{2,}|\n", block.text)[0][:70]


# --- the folder that they run in ---------------------------------------------------------------


class Place:
    """A fresh folder with `/srv` in it, and what the blocks of a page expect to be there."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.site = top / "srv" / "site"
        leavings = shutil.ignore_patterns("data", "__pycache__")  # of a demo in this clone
        for to in (self.site / "cgi-bin", top / "srv" / "cgi-bin"):
            shutil.copytree(ROOT / "examples" / "cgi-bin", to, ignore=leavings)
        for step in (ROOT / "examples" / "tutorial").glob("[1-9]-*"):
            shutil.copytree(step, self.site / step.name, ignore=lambda *_: ["data", "__pycache__"])
        self.user = pwd.getpwuid(os.geteuid()).pw_name
        self.environ = {k: v for k, v in os.environ.items() if k not in {"REQUEST_METHOD", "PORT"}}
        self.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        self.environ["PORT"] = "0"

    def here(self, text: str) -> str:
        """A text with this folder's paths."""
        text = re.sub(r"(?<![\w.])/srv\b", f"{self.top}/srv", text)
        return text.replace("-o www-data -g www-data", f"-o {self.user}")

    def run(self, command: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of a page in the site's folder."""
        return subprocess.run(
            ["sh", "-ec", self.here(command)], cwd=self.site, env=self.environ, text=True,
            stdin=subprocess.DEVNULL, capture_output=True, timeout=RUN_LIMIT,
        )  # fmt: skip

    @contextlib.contextmanager
    def started(self, command: str) -> Iterator[tuple["subprocess.Popen[bytes]", Path]]:
        """Run a command that serves, until the block ends; gives the process, and its output."""
        output = self.site / "output"
        with output.open("wb") as file:
            process = subprocess.Popen(
                ["sh", "-ec", f"exec {self.here(command)}"], cwd=self.site, env=self.environ,
                stdin=subprocess.DEVNULL, stdout=file, stderr=file,
            )  # fmt: skip
        try:
            yield process, output
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(DEADLINE)


@pytest.fixture
def place() -> Iterator[Place]:
    """Not `tmp_path`: with that a socket's path can be longer than the 107 bytes that there are."""
    with tempfile.TemporaryDirectory(prefix="docs-") as top:
        yield Place(Path(top).resolve())


def bring(place: Place, page: Path) -> None:
    """Put the files of a page's own folder into the one that its blocks run in."""
    if page.with_suffix("").is_dir():
        shutil.copytree(page.with_suffix(""), place.site, dirs_exist_ok=True)


@contextlib.contextmanager
def served(place: Place, text: str) -> Iterator[str]:
    """The text of a block with the port of a server, if it asks port 8000: the folder is served."""
    if "127.0.0.1:8000" not in text:
        yield text
        return
    with place.started("cgikit serve .") as (process, output):
        yield text.replace("127.0.0.1:8000", f"127.0.0.1:{port_of(process, output)}")


def port_of(process: "subprocess.Popen[bytes]", output: Path) -> int:
    """The port that `cgikit serve` says that it took."""

    def told() -> bool:
        assert process.poll() is None, output.read_text()
        return "(Ctrl-C stops" in output.read_text()

    assert until(told)
    found = re.search(r"http://127\.0\.0\.1:(\d+)/", output.read_text())
    assert found
    return int(found[1])


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=DEADLINE) as answer:
        return str(answer.read().decode())


# --- what serves -------------------------------------------------------------------------------


def serve_programs(place: Place, block: Block) -> None:
    """`cgikit serve www …`, with a script of each kind that its options are about."""
    www = place.site / "www"
    www.mkdir()
    for name, to in (("index.cgi", www), ("gitweb.cgi", place.site)):
        script = to / name
        script.write_text(f"#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n{name}'\n")
        script.chmod(0o755)
    (www / "gitweb.cgi").symlink_to("../gitweb.cgi")
    (www / "page.php").write_text("<?php echo 'php'; ?>")
    (www / "site.css").write_text("p { }")
    need("php-cgi")
    with place.started(block.text) as (process, output):
        url = f"http://127.0.0.1:{port_of(process, output)}/"
        assert [get(url + p) for p in ("", "gitweb.cgi", "site.css", "page.php")] == [
            *("index.cgi", "gitweb.cgi", "p { }", "php"),
        ]


def serve_old_scripts(place: Place, block: Block) -> None:
    """`cgikit serve … --compat`, with a script that imports `cgi`."""
    script = place.site / "cgi-bin" / "old.py"
    script.write_text(
        f"#!{sys.executable} -Wignore\nimport cgi\nprint('Content-Type: text/plain\\n')\n"
        "print(cgi.FieldStorage().getvalue('name'), end='')\n"
    )
    script.chmod(0o755)
    with place.started(block.text) as (process, output):
        assert get(f"http://127.0.0.1:{port_of(process, output)}/old.py?name=Ada") == "Ada"


def gateway(place: Place, block: Block) -> None:
    """`cgikit fastcgi …`: somebody listens at the socket."""
    path = shlex.split(block.text)[shlex.split(block.text).index("--socket") + 1]
    with place.started(block.text) as (process, output):

        def accepts() -> bool:
            assert process.poll() is None, output.read_text()
            with socket.socket(socket.AF_UNIX) as probe:
                return probe.connect_ex(os.path.relpath(place.site / path)) == 0

        assert until(accepts), output.read_text()


def wsgi_servers(place: Place, block: Block) -> None:
    """Each line starts a server that runs the page's module."""
    for script, proofs in EXAMPLES:
        if script.page == block.page:
            (place.site / "hits.py").write_text(script.text)
            assert "hits.py" in proofs[0].text
    module = next(b for b in ALL if b.page == block.page and b.text.startswith("# site_wsgi.py"))
    (place.site / "site_wsgi.py").write_text(module.text)
    for count, line in enumerate(block.text.splitlines(), 1):
        port = free_port()
        assert line.count("127.0.0.1:8080") == 1
        command = line.replace("127.0.0.1:8080", f"127.0.0.1:{port}")
        with place.started(command) as (process, output):

            def answer(url: str = f"http://127.0.0.1:{port}/") -> str:
                with contextlib.suppress(urllib.error.URLError, ConnectionError):
                    return get(url)
                return ""

            assert until(lambda: process.poll() is not None or answer()), output.read_text()
            assert "You are visitor number" in answer(), (count, output.read_text())


def wrapper(place: Place, block: Block) -> None:
    """The script of three lines that serves git repositories."""
    git = need("git")
    bare = place.top / "srv" / "git" / "name.git"
    subprocess.run([git, "init", "-q", "--bare", str(bare)], check=True)
    script = place.site / "git.cgi"
    script.write_text(place.here(block.text))
    script.chmod(0o755)
    environ = {
        "PATH": os.environ["PATH"],
        "PATH_INFO": "/name.git/info/refs",
        "QUERY_STRING": "service=git-upload-pack",
        "REQUEST_METHOD": "GET",
    }
    done = subprocess.run([script], env=environ, capture_output=True, text=True)
    assert "application/x-git-upload-pack-advertisement" in done.stdout, done.stderr


def serve_the_folder(place: Place, block: Block) -> None:
    """`cgikit serve .`: the list of scripts is there."""
    bring(place, block.page)
    with place.started(block.text) as (process, output):
        assert ".py" in get(f"http://127.0.0.1:{port_of(process, output)}/")


#: `sh` blocks that do not end by themselves, or are no commands: what runs them.
SERVES: dict[tuple[str, str], Callable[[Place, Block], None]] = {
    ("deploy/containers.md", "cgikit fastcgi cgi-bin --socket cgikit.sock --mode 0660"): gateway,
    ("reference/warm.md", "cgikit fastcgi cgi-bin --socket cgikit.sock --prefix /cgi-bin"): gateway,
    (
        "reference/warm.md",
        "cgikit scgi cgi-bin --socket cgikit.sock --prefix /cgi-bin --reuse cat",
    ): gateway,
    (
        "reference/warm.md",
        "cgikit fastcgi cgi-bin --socket cgikit.sock --pass GIT_PROJECT_ROOT --",
    ): gateway,
    (
        "reference/serve.md",
        "cgikit serve www --static --index index.cgi --run .php=php-cgi --follo",
    ): serve_programs,
    (
        "reference/wsgi.md",
        "gunicorn --workers 2 --threads 8 --bind 127.0.0.1:8080 site_wsgi",
    ): wsgi_servers,
    ("deploy/programs.md", "#!/bin/sh"): wrapper,
    ("from/cgi.md", "cgikit serve cgi-bin --compat"): serve_old_scripts,
    ("start/first-page.md", "cgikit serve ."): serve_the_folder,
    ("understand/life-of-a-request.md", "cgikit serve ."): serve_the_folder,
}

#: Run one after the other by `test_the_pages_first_steps_with_serve`.
STEPS = [
    ("reference/serve.md", "mkdir cgi-bin"),
    ("reference/serve.md", "cat > cgi-bin/hello.py <<'END'"),
]

# --- each block is run -------------------------------------------------------------------------

#: Those that test_docs.py runs, where they follow a script.
PROVEN = {str(proof) for _, proofs in EXAMPLES for proof in proofs}
CONSOLES = [b for b in BLOCKS if b.language == "console" and str(b) not in PROVEN]
SHELL = [
    b for b in BLOCKS
    if b.language == "sh" and key(b) not in {*NOT_RUN, *SERVES, *STEPS}
]  # fmt: skip
SERVED = [b for b in BLOCKS if key(b) in SERVES]


@pytest.mark.parametrize("console", CONSOLES, ids=str)
def test_a_command_prints_what_the_page_shows(console: Block, place: Place) -> None:
    assert console.text.startswith("$ "), f"{console}: begins with no command"
    for program in sorted({"strace", "curl", "pgrep"} & set(re.findall(r"[\w-]+", console.text))):
        need(program)
    bring(place, console.page)
    with served(place, console.text) as text:
        for part in text.removeprefix("$ ").split("\n$ "):
            command, _, expected = part.partition("\n")
            done = place.run(command)
            assert done.returncode == 0, f"{console}: $ {command} said\n{done.stderr}"
            assert matches(place.here(expected), done.stdout), f"{console} printed\n{done.stdout}"


@pytest.mark.parametrize("block", SHELL, ids=str)
def test_commands_end_well(block: Block, place: Place) -> None:
    bring(place, block.page)
    done = place.run(block.text)
    assert done.returncode == 0, f"{block} said\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("block", SERVED, ids=str)
def test_what_serves_is_there(block: Block, place: Place) -> None:
    SERVES[key(block)](place, block)


def test_the_pages_first_steps_with_serve(place: Place) -> None:
    """From an empty folder to the line in the console, as docs/reference/serve.md has it."""
    first, second = (next(b for b in ALL if key(b) == step) for step in STEPS)
    shown = next(b for b in ALL if b.text.startswith("Serving cgi-bin at "))
    shutil.rmtree(place.site / "cgi-bin")
    make, serve = first.text.splitlines()
    assert place.run(make).returncode == 0
    with place.started(serve) as (process, output):
        port = port_of(process, output)
        assert place.run(second.text).returncode == 0
        assert get(f"http://127.0.0.1:{port}/hello.py?name=Kim") == "Hello, Kim"
        assert until(lambda: "GET" in output.read_text())
        told = output.read_text()
    assert re.sub(r"\d+ ", "0 ", told.replace(f":{port}/", ":8000/")) == re.sub(
        r"\d+ ", "0 ", shown.text
    )


def test_every_block_is_run_or_says_why_not() -> None:
    run = {"python", "http", "console", "sh"}
    for block in BLOCKS:
        listed = key(block) in NOT_RUN
        of_a_port = block.language == "perl" and block.page.parent.name == "perl"
        # tests/fromperl compares it with the file, and runs that
        of_a_step = block.language == "diff" and block.page.parent.name == "tutorial"
        # tests/tutorial compares it with the files, and runs those
        assert listed or of_a_port or of_a_step or block.language in run, (
            f"{block}: say in NOT_RUN what makes it true"
        )
    keys = [key(block) for block in BLOCKS]
    for entry in (*NOT_RUN, *SERVES, *STEPS):
        assert entry in keys, f"{entry} is listed, and no page has it"


@pytest.mark.parametrize("page", [*PAGES, ROOT / "benchmarks" / "README.md"], ids=str)
def test_no_block_hides_in_indentation(page: Path) -> None:
    """Such a block has no language, and was run by nobody."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.M | re.S)
    assert re.findall(r"(?<=\n\n) {4}.*", text) == []


# --- what only stands in a sentence ------------------------------------------------------------


def options() -> dict[str, set[str]]:
    """The options of each command."""
    (commands,) = (
        action for action in cli.parser()._actions if isinstance(action, argparse._SubParsersAction)
    )
    return {
        name: {option for action in walked(parser) for option in action.option_strings}
        for name, parser in commands.choices.items()
    }


def walked(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from walked(below)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_commands_in_a_sentence_have_such_options(page: Path) -> None:
    known = options()
    for command, rest in re.findall(r"\bcgikit (?!import)(\w+)\b([^`\n]*)", commands_of(page)):
        assert command in known, f"{page.name}: cgikit {command}"
        for option in re.findall(r"(?<=\s)--?[a-z][a-z-]*", rest.split("|")[0].split(">")[0]):
            assert option in known[command], f"{page.name}: cgikit {command} has no {option}"


def commands_of(page: Path) -> str:
    """The code spans and the shell blocks of a page, a command a line."""
    fenced = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.M | re.S)
    spans = [s.replace("\n", " ") for s in re.findall(r"`([^`]+)`", fenced)]
    lines = [
        s
        for b in ALL
        if b.page == page and b.language in {"sh", "text"}
        for s in b.text.split("\n")
    ]
    return "\n".join(s for s in (*spans, *lines) if re.match(r"(\S+ )*cgikit [a-z]+", s))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_is_installed_is_there_to_install(page: Path) -> None:
    """`pip install cgikit[…]` would take whatever has that name on a package index."""
    text = page.read_text()
    project = (ROOT / "pyproject.toml").read_text()
    for extra in re.findall(r"pip install '?\.\[(\w+)\]", text):
        assert re.search(rf"^{extra} = \[", project, re.M), extra
    assert not re.findall(r"pip install '?cgikit\[", text)


def test_messages_name_what_is_on_a_package_index() -> None:
    """`pip install 'cgikit[redis]'`, while cgikit is on none: whoever takes the name is installed."""
    project = (ROOT / "pyproject.toml").read_text()
    advised = [
        advice
        for path in sorted((ROOT / "cgikit").rglob("*.py"))
        for advice in re.findall(r"pip install '([^']+)'", path.read_text())
    ]
    assert len(advised) > 2
    for requirement in advised:
        assert f'"{requirement}' in project, requirement
