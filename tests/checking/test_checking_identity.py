"""Who runs a script: root runs nothing that others could have written, and little as itself."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from nobody import forked_as_nobody

from cgikit.checking import identity
from cgikit.checking.account import Account
from cgikit.checking.identity import who_runs

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
STRANGER = 54_321  # a number without a name


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that all can reach: pytest's own are closed to others."""
    with TemporaryDirectory(dir="/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def script(place: Path, first: str = "#!/bin/sh\n", mode: int = 0o755) -> str:
    file = place / "a"
    file.write_text(first)
    file.chmod(mode)
    return str(file)


def test_a_user_runs_scripts_as_itself(place: Path) -> None:
    """Whoever owns them."""
    code = "account, why = who_runs(file)\nassert (account.uid, why) == (os.geteuid(), ''), account.uid"
    names = {"who_runs": who_runs, "file": script(place), "os": os}
    if os.geteuid() == 0:
        assert forked_as_nobody(place, code, names) == "done"
    else:
        exec(code, names)


@as_root
def test_root_becomes_the_owner(place: Path) -> None:
    file = script(place)
    nobody = Account.named("nobody")
    os.chown(file, nobody.uid, nobody.gid)
    assert who_runs(file)[0].uid == nobody.uid


@as_root
def test_an_owner_without_a_name_is_not_root(place: Path) -> None:
    """Such a script was run as root."""
    file = script(place)
    os.chown(file, STRANGER, 0)
    account, why = who_runs(file)
    assert (account.uid, account.gid, account.groups) == (STRANGER, STRANGER, {STRANGER})
    assert why == "the owner of its file"


@as_root
@pytest.mark.parametrize("first", ["#!/bin/sh\n", "#!/usr/bin/env sh\n", "#!/no/such\n", ""])
def test_a_script_of_root_s_runs_as_the_user_of_a_server(place: Path, first: str) -> None:
    """It was run as root, without a word."""
    account, why = who_runs(script(place, first))
    assert account.name in identity._SERVERS
    assert "--user NAME" in why


@as_root
@pytest.mark.parametrize("closed", ["directory", "file", "interpreter"])
def test_one_that_no_server_s_user_reaches_runs_as_root_and_says_so(
    place: Path, closed: str
) -> None:
    (place / "in").mkdir(mode=0o700 if closed == "directory" else 0o755)
    own = place / "sh"
    own.write_text("#!/bin/sh\n")
    own.chmod(0o700 if closed == "interpreter" else 0o755)
    file = script(place / "in", f"#!{own}\n", 0o700 if closed == "file" else 0o755)
    account, why = who_runs(file)
    assert account.uid == 0
    assert "cannot run it; --user NAME runs it as another user" in why


@as_root
@pytest.mark.parametrize("who", ["others", "a group", "the owner of the directory", "a link"])
def test_one_that_others_could_have_changed_never_runs_as_root(place: Path, who: str) -> None:
    (place / "in").mkdir()
    file = script(place / "in", mode=0o700)
    if who == "others":
        os.chmod(file, 0o702)
    elif who == "a group":
        os.chmod(place / "in", 0o770)
        os.chown(place / "in", 0, STRANGER)
    elif who == "the owner of the directory":
        os.chown(place / "in", STRANGER, 0)
    else:
        os.symlink(file, place / "link")
        os.chown(place / "link", STRANGER, 0, follow_symlinks=False)
        file = str(place / "link")
    account, why = who_runs(file)
    assert account.uid != 0
    assert "others could have changed it" in why


@as_root
@pytest.mark.parametrize("how", ["a link", "a directory"])
def test_nobody_chooses_another_user_for_a_script(place: Path, how: str) -> None:
    """Whoever could put a link to a script, or the script itself, had it run as its owner."""
    daemon = Account.named("daemon")
    (place / "in").mkdir()
    file = script(place / "in")
    os.chown(file, daemon.uid, daemon.gid)
    assert who_runs(file)[0].uid == daemon.uid
    if how == "a link":
        os.symlink(file, place / "link")
        os.chown(place / "link", STRANGER, 0, follow_symlinks=False)
        file = str(place / "link")
    else:
        os.chown(place / "in", STRANGER, 0)
    account, why = who_runs(file)
    assert account.name in identity._SERVERS
    assert why == "others could have changed it"


def test_what_is_not_there_is_run_by_nobody() -> None:
    assert who_runs("/no/such/file")[0].uid == os.geteuid()


@as_root
def test_without_any_user_of_a_server(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "_SERVERS", ("no-such-user",))
    account, why = who_runs(script(place, f"#!{sys.executable}\n"))
    assert (account.uid, why) == (0, "this machine has no user of a web server")
