"""Password files, made by Apache's own `htpasswd`."""

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from properties import any_texts, noisy
from requirement import need

from cgikit import StorageError, htpasswd
from cgikit.htpasswd import Htpasswd

KINDS = {
    "bcrypt": ["-B", "-C", "4"],
    "SHA-512": ["-5"],
    "SHA-256": ["-2", "-r", "1000"],
    "apr1": ["-m"],
    "SHA-1": ["-s"],
    "crypt": ["-d"],
}


def add(path: Path, user: str, password: str, *options: str) -> Path:
    """Have `htpasswd` store a user."""
    make = [] if path.exists() else ["-c"]
    command = [need("htpasswd"), *make, "-i", *options, str(path), user]
    subprocess.run(command, input=password.encode(), check=True, capture_output=True)
    return path


@pytest.fixture(scope="module")
def users(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("users") / "users"
    for kind, options in KINDS.items():
        add(path, kind, f"its {kind}", *options)
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_what_htpasswd_stores_is_found(users: Path, kind: str) -> None:
    file = Htpasswd(users)
    assert file.check(kind, f"its {kind}")
    assert not file.check(kind, f"Its {kind}")
    assert not file.check(kind, "")
    assert not file.check(kind, "its other"[:8])
    assert not file.check(kind.lower() + "x", f"its {kind}")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "crypt"])
def test_text_outside_ascii_is_utf_8(tmp_path: Path, kind: str) -> None:
    path = add(tmp_path / "users", "jürgen", "größer € 😀", *KINDS[kind])
    assert Htpasswd(path).check("jürgen", "größer € 😀")
    assert not Htpasswd(path).check("jürgen", "großer € 😀")


def test_a_long_password_is_what_bcrypt_makes_of_it(tmp_path: Path) -> None:
    """bcrypt 5 raises an error for more than 72 bytes, which the other programs cut."""
    path = add(tmp_path / "users", "a", "x" * 72, *KINDS["bcrypt"])
    assert Htpasswd(path).check("a", "x" * 72)
    assert Htpasswd(path).check("a", "x" * 100)
    assert not Htpasswd(path).check("a", "x" * 71)
    path = add(tmp_path / "users", "b", "y" * 200, *KINDS["SHA-512"])
    assert Htpasswd(path).check("b", "y" * 200)
    assert not Htpasswd(path).check("b", "y" * 199)
    assert not Htpasswd(path).check("b", "y" * 1_000_000)


@pytest.mark.parametrize(
    ("username", "password"),
    [(None, None), (None, "x"), ("bcrypt", None), ("bcrypt", "its bcrypt\0"), ("", ""), ("#", "x"),
     ("bcrypt\n", "its bcrypt"), ("\ud800", "x"), ("bcrypt", "\ud800"), ("bcrypt:", "its bcrypt")],
)  # fmt: skip
def test_what_is_no_user_or_password_is_wrong(users: Path, username, password) -> None:
    assert Htpasswd(users).check(username, password) is False


def test_each_check_reads_the_file(tmp_path: Path) -> None:
    path = add(tmp_path / "users", "ann", "old", *KINDS["SHA-1"])
    file = Htpasswd(path)
    assert file.check("ann", "old")
    add(path, "ann", "new", *KINDS["SHA-1"])
    assert not file.check("ann", "old")
    assert file.check("ann", "new")
    subprocess.run([need("htpasswd"), "-D", str(path), "ann"], check=True, capture_output=True)
    assert not file.check("ann", "new")


def test_a_relative_path_is_that_of_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    add(tmp_path / "users", "ann", "x", *KINDS["SHA-1"])
    monkeypatch.chdir(tmp_path)
    file = Htpasswd("users")
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert file.check("ann", "x")
    assert repr(file) == f"Htpasswd({str(tmp_path / 'users')!r})"


@pytest.mark.parametrize("user", ["unknown", "stranger", "x" * 1000])
@pytest.mark.parametrize("kind", ["bcrypt", "SHA-512", "apr1", "SHA-1", "crypt"])
def test_an_unknown_user_takes_the_work_of_a_known_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, user: str
) -> None:
    """Counted, not timed: the same computation, with a hash of the same kind."""
    path = tmp_path / "users"
    for name in ("ann", "bob", "eve"):
        add(path, name, "right", *KINDS[kind])
    done: list[tuple[str, str]] = []
    verify: Callable[[str, str], bool] = htpasswd._verify

    def counted(password: str, stored: str) -> bool:
        done.append((password, stored))
        return verify(password, stored)

    monkeypatch.setattr(htpasswd, "_verify", counted)
    file = Htpasswd(path)
    for password in ("wrong", "right"):  # "right" is that of the hash that is computed instead
        assert file.check(user, password) is False
        assert file.check(user, password) is False
    stored = [hash_ for _, hash_ in done]
    assert len(stored) == 4
    assert len(set(stored)) == 1  # another one at each try would be seen, too
    assert stored[0] in path.read_text()


# --- the file ---------------------------------------------------------------------------------

SHA = "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="  # of "secret"


@pytest.mark.parametrize(
    "content",
    [
        f"ann:{SHA}\n",
        f"ann:{SHA}",
        f"# a comment: with a colon\n\n  \nann:{SHA}\n",
        f"ann:{SHA}\r\nbob:{SHA}\r\n",
        f"\ufeffann:{SHA}\n",
        f"  ann:{SHA}  \n",
        f"ann:{SHA}:Ann Miller, room 5\n",
        f"ann:{SHA}\nann:$apr1$x$y\n",
    ],
)
def test_files_as_people_write_them(tmp_path: Path, content: str) -> None:
    path = tmp_path / "users"
    path.write_bytes(content.encode())
    assert Htpasswd(path).check("ann", "secret")
    assert not Htpasswd(path).check("ann", "wrong")
    assert not Htpasswd(path).check("# a comment", "secret")


def test_a_user_name_in_another_charset_is_found(tmp_path: Path) -> None:
    path = tmp_path / "users"
    path.write_bytes(b"j\xfcrgen:" + SHA.encode())
    assert Htpasswd(path).check(os.fsdecode(b"j\xfcrgen"), "secret")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (f"ann:{SHA}\nbob\n", "line 2 is not USER:HASH"),
        (f":{SHA}\n", "line 1 is not USER:HASH"),
        (
            f"\n#\nbob:plain\nann:{SHA}",
            r"line 3: the password of 'bob' .* htpasswd -B \S+/users bob",
        ),
        ("bob:\n", "line 1: the password of 'bob'"),
        ("bob:$1$x$y\n", "line 1: the password of 'bob'"),
        ("bob:ärger-_-123-\n", "line 1: the password of 'bob'"),
    ],
)
def test_a_line_that_is_not_valid_is_named(tmp_path: Path, content: str, why: str) -> None:
    """Whoever asks: otherwise an answer of its own would tell that this user exists."""
    path = tmp_path / "users"
    path.write_text(content)
    for user in ("ann", "bob", "nobody", None):
        with pytest.raises(StorageError, match=why) as caught:
            Htpasswd(path).check(user, "plain")
        assert caught.value.message == "The server could not read or write its data."


@pytest.mark.parametrize(
    "stored", ["$2y$", "$2y$05$short", "$apr1$", "$5$rounds=x$y$z", "$6$", "{SHA}!!", "{SHA}", "$2"]
)
def test_a_damaged_hash_is_no_password(tmp_path: Path, stored: str) -> None:
    path = tmp_path / "users"
    path.write_text(f"ann:{stored}\n")
    for password in ("x", stored):
        assert Htpasswd(path).check("ann", password) is False


def test_a_file_that_everybody_may_write_to_is_refused(users: Path, tmp_path: Path) -> None:
    path = tmp_path / "users"
    path.write_bytes(users.read_bytes())
    for mode in (0o600, 0o640, 0o644, 0o660):
        path.chmod(mode)
        assert Htpasswd(path).check("apr1", "its apr1")
    path.chmod(0o646)
    with pytest.raises(StorageError, match=r"everybody may write to it \(mode 0646\).*chmod o-w"):
        Htpasswd(path).check("apr1", "its apr1")


def test_a_file_that_is_missing_or_none_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be read: no such file"):
        Htpasswd(tmp_path / "missing").check("a", "b")
    with pytest.raises(StorageError, match="it is a directory, not a regular file"):
        Htpasswd(tmp_path).check("a", "b")
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(StorageError, match="not a regular file"):
        Htpasswd(tmp_path / "fifo").check("a", "b")
    (tmp_path / "users").touch()
    assert not Htpasswd(tmp_path / "users").check("a", "b")


def test_a_symbolic_link_is_followed(users: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(users)
    assert stat.S_ISLNK(os.lstat(tmp_path / "link").st_mode)
    assert Htpasswd(tmp_path / "link").check("SHA-1", "its SHA-1")


def test_the_size_of_a_file_has_a_limit(tmp_path: Path) -> None:
    line = f"ann:{SHA}\n"
    path = tmp_path / "users"
    path.write_text(line + "#" * ((4 << 20) - len(line)))
    assert Htpasswd(path).check("ann", "secret")
    with open(path, "a") as file:
        file.write("#")
    with pytest.raises(StorageError, match="more than 4194304 bytes"):
        Htpasswd(path).check("ann", "secret")


@given(any_texts | noisy)
def test_any_content_gives_entries_or_our_error(text: str) -> None:
    try:
        entries = htpasswd.parse("users", text.encode("utf-8", "surrogatepass"))
    except StorageError:
        return
    assert all(name and ":" not in name for name in entries)


def test_without_the_extra_the_message_names_it(tmp_path: Path) -> None:
    (tmp_path / "users").write_text(f"ann:{SHA}\n")
    (tmp_path / "passlib.py").write_text("raise ImportError('gone')")
    path = str(tmp_path / "users")
    code = f"from cgikit.htpasswd import Htpasswd; Htpasswd({path!r}).check('a', 'b')"
    environ = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environ)
    assert (
        "ImportError: checking passwords needs libpass and bcrypt (gone), the extra cgikit[htpasswd]"
        in done.stderr
    )
    assert "pip install 'libpass>=1.9' 'bcrypt>=4.1'" in done.stderr
