"""The parts of a multipart form: what a hook may do to a file, and the limits of single fields."""

import hashlib
import io
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from posting import MULTIPART, URLENCODED, environ, field, file, multipart

from cgikit import WSGI, HTTPError, LimitExceeded, Limits, Request, StateError, Upload
from cgikit.formparts import read_form
from cgikit.testing import Client

BIG, SMALL = bytes(range(256)) * 2_000, b"small"  # on disk, in memory
Hook = Callable[[Upload, bytes], object]


def received(body: bytes, kind: str = MULTIPART, **options: Any) -> Request:
    return Request(environ(body, kind), io.BytesIO(body), **options)


def descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


@pytest.fixture(params=[False, True], ids=["unnamed", "named"])
def spool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Path]:
    """A directory for uploads, which must be empty at the end; with and without nameless files."""
    if request.param:
        monkeypatch.delattr(os, "O_TMPFILE")
    before = descriptors()
    yield tmp_path
    assert list(tmp_path.iterdir()) == []
    assert descriptors() == before


FORM = multipart(
    field("title", b"Sea"),
    file("a", "one.bin", BIG),
    file("b", "two.txt", SMALL),
    file("b", "empty.txt", b""),
    file("none", "", b""),
    file("a", "three.bin", BIG + SMALL),
)


def test_a_hook_gets_every_piece_of_every_file_and_its_end(spool: Path) -> None:
    seen: list[tuple[str, str, int, bytes]] = []

    def hook(upload: Upload, data: bytes) -> None:
        assert type(data) is bytes
        seen.append((upload.field, upload.client_filename, upload.size, data))

    request = received(FORM, on_upload=hook, upload_dir=str(spool))
    assert seen == []  # nothing is read before the form is asked for
    assert request.form["title"] == "Sea"
    contents: dict[tuple[str, str], bytes] = {}
    ended = []
    for name, filename, size, data in seen:
        assert size == len(contents.get((name, filename), b""))
        contents[name, filename] = contents.get((name, filename), b"") + data
        if not data:
            ended.append(filename)
    assert contents == {
        ("a", "one.bin"): BIG,
        ("b", "two.txt"): SMALL,
        ("b", "empty.txt"): b"",
        ("a", "three.bin"): BIG + SMALL,
    }
    assert ended == ["one.bin", "two.txt", "empty.txt", "three.bin"]
    kept = [(name, f.client_filename, f.read()) for name, f in request.files.pairs()]
    assert kept == [(name, filename, data) for (name, filename), data in contents.items()]
    assert [f.field for _, f in request.files.pairs()] == ["a", "b", "b", "a"]
    request.close()


@given(st.integers(1, 600))
def test_pieces_in_any_division_give_the_same(size: int) -> None:
    body = multipart(field("t", b"x"), file("a", "a", b"0123456789" * 50), file("b", "b", b"\r\n"))
    chunks = [body[at : at + size] for at in range(0, len(body), size)]
    seen: dict[str, bytes] = {}

    def hook(upload: Upload, data: bytes) -> None:
        seen[upload.field] = seen.get(upload.field, b"") + data
        if upload.field == "b":
            upload.discard()

    fields, files = read_form(chunks, MULTIPART, length=len(body), limits=Limits(), on_upload=hook)
    assert fields.pairs() == [("t", "x")]
    assert [(name, f.read()) for name, f in files.pairs()] == [("a", b"0123456789" * 50)]
    assert seen == {"a": b"0123456789" * 50, "b": b"\r\n"}


@pytest.mark.parametrize("left", [1, 2, 511, 512])
def test_the_first_piece_is_long_enough_to_tell_the_kind_of_a_file(spool: Path, left: int) -> None:
    """The body is read in pieces of 128 KiB: a hook that looks for a JPEG's first three bytes got one
    of them, if the file began one byte before the end of a piece, and refused it.
    """
    photo = b"\xff\xd8\xff" + bytes(3_000)
    before = multipart(field("t"), file("photo", "a.jpg", photo)).index(photo)
    filling = b"x" * (131_072 - left - before)
    body = multipart(field("t", filling), file("photo", "a.jpg", photo), file("b", "b", b"\xff"))
    assert body.index(photo) == 131_072 - left
    seen: dict[str, list[bytes]] = {}

    def hook(upload: Upload, data: bytes) -> None:
        assert upload.size == sum(map(len, seen.get(upload.field, [])))
        seen.setdefault(upload.field, []).append(data)

    request = received(body, on_upload=hook, upload_dir=str(spool))
    assert request.files["photo"].read() == photo == b"".join(seen["photo"])
    assert len(seen["photo"][0]) >= 512
    assert seen["b"] == [b"\xff", b""]


def test_an_error_at_the_first_piece_is_raised_for_a_file_shorter_than_that(spool: Path) -> None:
    def hook(upload: Upload, data: bytes) -> None:
        raise HTTPError(415, "No.")

    request = received(multipart(file("a", "a", b"x")), on_upload=hook, upload_dir=str(spool))
    with pytest.raises(HTTPError):
        request.form["a"]


@pytest.mark.parametrize("when", ["at first", "later", "at the end"])
def test_a_discarded_file_is_dropped_and_the_form_goes_on(spool: Path, when: str) -> None:
    counted: dict[str, int] = {}
    stored = []

    def hook(upload: Upload, data: bytes) -> None:
        if upload.field != "a":
            return
        counted[upload.client_filename] = upload.size + len(data)
        moment = "at first" if not upload.size else "later" if data else "at the end"
        if moment == when:
            upload.discard()
        if upload.is_discarded:
            stored.append(upload._fd)

    request = received(FORM, on_upload=hook, upload_dir=str(spool))
    assert [f.client_filename for _, f in request.files.pairs()] == ["two.txt", "empty.txt"]
    assert counted == {"one.bin": len(BIG), "three.bin": len(BIG + SMALL)}
    assert set(stored) == {-1}
    request.close()


def test_a_discarded_file_cannot_be_read_or_saved(spool: Path) -> None:
    request = received(FORM, upload_dir=str(spool))
    for _, upload in request.files.pairs():
        upload.read(1)
        upload.discard()
        assert upload.is_discarded
        for use in (upload.read, lambda u=upload: u.file, lambda u=upload: u.save(spool / "x")):
            with pytest.raises(StateError, match=f"'{upload.client_filename}' was discarded"):
                use()
    request.close()


class Injected(BaseException):
    """Neither a ValueError nor any other Exception."""


@pytest.mark.parametrize(
    "error", [HTTPError(415, "no"), ValueError("no"), OSError(28, "no"), Injected()]
)
@pytest.mark.parametrize("call", [0, 1, 3, 4, 6, -2, -1])
def test_a_hook_that_raises_loses_and_leaks_nothing(
    spool: Path, error: BaseException, call: int
) -> None:
    """In each of its calls: in the first, within a file, at the end of one, at the very end."""
    calls: list[bytes] = []
    counted = received(FORM, on_upload=lambda _, data: calls.append(data), upload_dir=str(spool))
    counted.files  # noqa: B018
    counted.close()
    left = [range(len(calls))[call] + 1]

    def hook(upload: Upload, data: bytes) -> None:
        left[0] -= 1
        if not left[0]:
            raise error

    request = received(FORM, on_upload=hook, upload_dir=str(spool))
    with pytest.raises(type(error)):
        request.files  # noqa: B018
    with pytest.raises((type(error), StateError)):  # and never a part of a form
        request.form  # noqa: B018
    request.close()


def test_the_limits_hold_for_discarded_files_too(spool: Path) -> None:
    def hook(upload: Upload, data: bytes) -> None:
        upload.discard()

    for limits, name in ((Limits(file=1_000), "file"), (Limits(files=2), "files")):
        request = received(FORM, on_upload=hook, limits=limits, upload_dir=str(spool))
        with pytest.raises(LimitExceeded) as caught:
            request.files  # noqa: B018
        assert caught.value.limit == name


def test_a_file_can_be_read_without_being_stored(spool: Path) -> None:
    digest = hashlib.sha256()

    def hook(upload: Upload, data: bytes) -> None:
        upload.discard()
        digest.update(data)

    body = multipart(file("f", "x", BIG))
    assert not received(body, on_upload=hook, upload_dir=str(spool)).files
    assert digest.digest() == hashlib.sha256(BIG).digest()


def test_run_and_wsgi_take_a_hook() -> None:
    """And an error that it raises is the answer."""

    def hook(upload: Upload, data: bytes) -> None:
        if data.startswith(b"GIF"):
            raise HTTPError(415, "Please send a JPEG.")

    def handler(request: Request) -> str:
        return ",".join(f.filename for _, f in request.files.pairs())

    for client in (Client(handler, on_upload=hook), Client(WSGI(handler, on_upload=hook))):
        answer = client.post("/", files={"photo": ("a.jpg", b"\xff\xd8\xff")})
        assert (answer.status, answer.text) == (200, "a.jpg")
        answer = client.post("/", files={"photo": ("a.gif", b"GIF89a")})
        assert answer.status == 415
        assert "Please send a JPEG." in answer.text


# --- limits -----------------------------------------------------------------------------------


def test_no_files_at_all(spool: Path) -> None:
    """CGI.pm's $DISABLE_UPLOADS: nothing of a file is stored, and the visitor is told in words."""
    seen: list[bytes] = []
    request = received(
        FORM, limits=Limits(files=0), upload_dir=str(spool), on_upload=lambda _, d: seen.append(d)
    )
    with pytest.raises(LimitExceeded) as caught:
        request.form  # noqa: B018
    assert caught.value.status == 413
    assert caught.value.message == "This page accepts no files."
    assert "files=0" in str(caught.value)
    assert seen == []
    body = multipart(field("title", b"Sea"), file("photo", "", b""))  # an input that was left empty
    assert received(body, limits=Limits(files=0)).form["title"] == "Sea"


def test_a_field_has_a_limit_of_its_own(spool: Path) -> None:
    for size, limit, name in ((3, "field", "title"), (len(SMALL), "file", "b")):
        request = received(FORM, upload_dir=str(spool))
        request.limit(name, size)
        assert len(request.files) == 2
        request.close()
        request = received(FORM, upload_dir=str(spool))
        request.limit(name, size - 1)
        for _ in range(2):
            with pytest.raises(LimitExceeded) as caught:
                request.files  # noqa: B018
        error = caught.value
        assert (error.limit, error.allowed, error.field) == (limit, size - 1, name)
        assert error.seen > error.allowed
        assert error.status == 413
        assert f"{limit}={size - 1} of the field '{name}'" in str(error)
        assert repr(name) not in error.message


def test_the_limit_of_a_field_is_for_each_of_its_values(spool: Path) -> None:
    body = multipart(*[file("f", str(n), b"12345") for n in range(5)], field("f", b"12345"))
    request = received(body, upload_dir=str(spool))
    request.limit("f", 5)
    assert len(request.files.getlist("f")) == 5
    request.close()


@pytest.mark.parametrize(("value", "size"), [("a=12345", 5), ("a=%C3%A4", 2), ("a=&a=12&a=1", 2)])
def test_the_limit_of_a_field_holds_for_plain_forms(value: str, size: int) -> None:
    request = received(value.encode(), URLENCODED)
    request.limit("a", size)
    assert "a" in request.form
    request = received(value.encode(), URLENCODED)
    request.limit("a", size - 1)
    with pytest.raises(LimitExceeded) as caught:
        request.form  # noqa: B018
    assert (caught.value.limit, caught.value.field, caught.value.seen) == ("field", "a", size)


def test_reading_stops_at_the_limit_of_a_field(spool: Path) -> None:
    body = multipart(file("f", "x", bytes(4 << 20)))
    source = io.BytesIO(body)
    request = Request(environ(body, MULTIPART), source, upload_dir=str(spool))
    request.limit("f", 1_000)
    with pytest.raises(LimitExceeded):
        request.files  # noqa: B018
    assert source.tell() < 1 << 20


def test_a_limit_must_come_before_the_form() -> None:
    request = received(FORM)
    request.form  # noqa: B018
    with pytest.raises(StateError, match="was read already; set limits before that"):
        request.limit("a", 5)
    request.close()


@pytest.mark.parametrize("size", [-1, True, 1.5, None, "5"])
def test_a_limit_is_a_number(size: Any) -> None:
    with pytest.raises(ValueError, match=r"limit\('a', …\) needs an int of 0 or more, not"):
        Request({}).limit("a", size)


def test_this_module_is_loaded_for_such_forms_only() -> None:
    code = "import cgikit.body, sys; sys.exit('cgikit.formparts' in sys.modules)"
    assert os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-c", code]) == 0
