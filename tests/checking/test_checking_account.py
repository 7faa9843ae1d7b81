"""What owner, group and mode allow a user: as the system itself decides."""

import os
import pwd
import subprocess
from itertools import product
from pathlib import Path

import pytest

from cgikit.checking.account import Account

NOBODY = pwd.getpwnam("nobody")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


def test_this_process_is_a_user_too() -> None:
    user = Account.current()
    assert (user.uid, user.gid) == (os.geteuid(), os.getegid())
    assert set(os.getgroups()) <= user.groups


def test_a_user_that_does_not_exist() -> None:
    with pytest.raises(KeyError):
        Account.named("no-such-user")


@as_root
@pytest.mark.parametrize(("owner", "group"), list(product((0, NOBODY.pw_uid), (0, NOBODY.pw_gid))))
def test_it_says_what_the_system_says(tmp_path: Path, owner: int, group: int) -> None:
    tmp_path.chmod(0o711)
    file = tmp_path / "program"
    file.write_text("#!/bin/sh\n")
    os.chown(file, owner, group)
    user = Account.named("nobody")
    tests = []
    for bits in range(0o10):
        for mode in (bits << 6, bits << 3, bits):
            file.chmod(mode)
            status = file.stat()
            may = user.may_read(status), user.may_write(status), user.may_execute(status)
            script = "for what in -r -w -x; do test $what program; echo $?; done"
            done = subprocess.run(
                ["/bin/sh", "-c", script],
                user=user.uid,
                group=user.gid,
                extra_groups=sorted(user.groups),
                cwd=tmp_path,  # those above it are closed to others
                capture_output=True,
                text=True,
            )
            tests.append((oct(mode), may, tuple(word == "0" for word in done.stdout.split())))
    assert [each for each in tests if each[1] != each[2]] == []


def test_root_executes_what_anybody_may(tmp_path: Path) -> None:
    root = Account("root", 0, 0, frozenset({0}))
    file = tmp_path / "program"
    file.write_text("")
    file.chmod(0o600)
    assert (root.may_read(file.stat()), root.may_execute(file.stat())) == (True, False)
    file.chmod(0o601)
    assert root.may_execute(file.stat())
    tmp_path.chmod(0o700)
    assert Account("x", 0, 0, frozenset()).closed_directory(str(file)) is None


def test_the_topmost_closed_directory_is_named(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    (closed / "below").mkdir(parents=True)
    file = closed / "below" / "a.py"
    file.write_text("")
    closed.chmod(0o700)
    (closed / "below").chmod(0o700)
    stranger = Account("stranger", 54_321, 54_321, frozenset())
    (tmp_path / "link.py").symlink_to(file)
    found = stranger.closed_directory(str(tmp_path / "link.py"))
    assert found is not None
    assert str(closed).startswith(found)
    with pytest.raises(FileNotFoundError):
        stranger.closed_directory("/no/such/file")
