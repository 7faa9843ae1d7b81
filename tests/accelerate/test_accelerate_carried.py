"""A bundle with fronts, uploaded to a host where nobody has run a command, under a real server."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from accelerating import USER, Site
from ports import free_port
from requirement import need
from servers.curl import curl
from servers.fixtures import fresh, readable_by_all
from servers.interpreter import base_interpreter
from serving import until

from cgikit.bundle import library
from cgikit.bundle.making import make
from cgikit.bundle.target import target
from cgikit.bundle.writing import write
from cgikit.cli.bundle import fronts_in

SCRIPT = """\
#!/usr/bin/env python3
import os

from cgikit import run

def hello(request):
    with open("runs", "a") as runs:
        runs.write("once\\n")
    return f"{request.query.get('name')} {os.getppid()}"

run(hello)
"""


class Account(Site):
    """A customer's account: `site` is what the server shows, and the bundle is in its `cgi-bin`."""

    def __init__(self, directory: Path, folder: str) -> None:
        directory.chmod(0o755)
        self.directory = directory
        self.site = directory / "site"
        self.folder = self.site / "cgi-bin"
        self.base = Path(os.path.normpath(self.folder / folder))
        source = directory / "hello.py"
        source.write_text(SCRIPT)
        python = base_interpreter()
        made = make(str(source), target(python), wanted=python, fronts=fronts_in(folder))
        self.site.mkdir()
        write(made.bundle, str(self.folder))
        for path in [directory, self.site, self.folder, *self.folder.rglob("*")]:
            self.give(path)

    def make_folder(self, mode: int = 0o700) -> None:
        """Make the folder of the daemon, as by FTP."""
        self.base.mkdir()
        self.base.chmod(mode)
        self.give(self.base)

    def ask(self, name: str = "it") -> int:
        """Ask for the script by its front; return the process that is its parent."""
        told, parent = curl(f"{self.url}?name={name}").text.split()
        assert told == name
        return int(parent)

    def runs(self) -> int:
        """How often the script has run."""
        return len((self.folder / "runs").read_text().splitlines())

    @contextlib.contextmanager
    def served(self) -> Iterator[None]:
        """BusyBox's server, as the account's user."""
        port = free_port()
        self.url = f"http://127.0.0.1:{port}/cgi-bin/hello.cgi"
        words = [need("busybox"), "httpd", "-f", "-p", f"127.0.0.1:{port}", "-h", str(self.site)]
        quiet = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
        with self.start(words, cwd="/", **quiet) as process:
            try:
                assert until(lambda: answers(self.url))
                (self.folder / "runs").unlink()
                yield
            finally:
                process.terminate()


def answers(url: str) -> bool:
    with contextlib.suppress(AssertionError):
        return curl(url).status == 200
    return False


@pytest.fixture
def account(
    request: pytest.FixtureRequest, readable_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Account]:
    """An account. Its bundle may have the daemon below /tmp, where tests are."""
    need("perl")
    read = library._read
    text = '_TEMPORARY = ("/tmp", "/var/tmp", "/dev/shm", "/run/lock")'

    def changed(file: str) -> str:
        source = read(file)
        assert text in source or not file.endswith("accelerate/directory.py")
        return source.replace(text, "_TEMPORARY = ()")

    monkeypatch.setattr(library, "_read", changed)
    with readable_by_all():
        made = Account(fresh(readable_directory, "account"), getattr(request, "param", "../../own"))
    with made.served():
        yield made
    if made.base.is_dir() and list(made.base.iterdir()):
        made.stop()


def start_daemon(account: Account) -> None:
    """Ask until the daemon is there, as visitors do."""
    account.ask()
    account.ask()
    assert until((account.place / "s").exists), account.log()


def test_without_the_folder_each_request_runs_directly(account: Account) -> None:
    before = sorted(os.listdir(account.directory))
    for _ in range(3):
        account.ask()
    assert account.runs() == 3
    assert sorted(os.listdir(account.directory)) == before  # no request makes it


def test_with_the_folder_later_requests_run_in_a_daemon(account: Account) -> None:
    account.make_folder()
    start_daemon(account)
    asked = account.runs()
    parents = []
    for number in range(20):
        parents.append(account.ask(f"visitor{number}"))
        if parents[-1] == account.daemon():
            break
    assert parents[-1] == account.daemon() != 0, account.log()
    assert account.runs() == asked + len(parents)
    assert (account.place.stat().st_mode & 0o777, account.place.stat().st_uid) == (
        0o700,
        os.geteuid() if USER is None else USER,
    )


def test_a_new_version_of_the_library_makes_a_new_daemon(account: Account) -> None:
    account.make_folder()
    start_daemon(account)
    first = account.daemon()
    carried = account.folder / "cgikit_bundle" / "library.bin"
    shutil.copy(carried, f"{carried}.new")
    account.give(Path(f"{carried}.new"))
    os.replace(f"{carried}.new", carried)

    def is_replaced() -> bool:
        account.ask()
        return account.daemon() not in {0, first}

    assert until(is_replaced), account.log()


def test_a_folder_that_others_can_enter_is_not_used(account: Account) -> None:
    account.make_folder(0o755)
    for _ in range(3):
        account.ask()
    assert account.runs() == 3
    assert os.listdir(account.base) == []


@pytest.mark.skipif(USER is None, reason="gives a folder to another user, which only root can do")
def test_a_folder_of_another_user_is_not_used(account: Account) -> None:
    account.make_folder(0o700)
    os.chown(
        account.base, 1, 1
    )  # where there is no suEXEC, files are not of the user who runs them
    for _ in range(3):
        account.ask()
    assert account.runs() == 3
    assert os.listdir(account.base) == []


@pytest.mark.parametrize("account", ["../own"], indirect=True)
def test_a_folder_among_the_pages_is_refused_and_the_log_says_so(account: Account) -> None:
    """The name of the document root is known by its usual names only: here it gets one of them."""
    account.site.rename(account.directory / "public_html")
    account.site.symlink_to("public_html")
    account.base = account.directory / "public_html" / "own"
    account.make_folder()
    account.ask()
    account.ask()
    assert until(lambda: "public_html" in account.log()), account.log()
    assert "outside of the document root" in account.log()
    runs = account.runs()
    account.ask()
    assert account.runs() == runs + 1
    assert not (account.place / "s").exists()
