"""The error tree: statuses, evidence, and whose mistake it was."""

import copy
import pickle

import pytest

import cgikit
from cgikit import (
    BadRequest,
    CGIError,
    HTTPError,
    InvalidField,
    LimitExceeded,
    Limits,
    LockTimeout,
    StateError,
    StorageError,
    UnsupportedMediaType,
)
from cgikit.errors import (
    BodyNotReceived,
    FormExpired,
    LengthRequired,
    MissingFile,
    Refused,
    SessionMoved,
    reason_of,
)

#: One of each, with its status and what Python code already catches it as.
EVERY = [
    (CGIError("a"), 500, Exception),
    (BadRequest("a"), 400, ValueError),
    (InvalidField("age", "x", "is not a whole number"), 400, BadRequest),
    (LimitExceeded("fields", 10, 11), 413, BadRequest),
    (LimitExceeded("query", 10, 11, status=414), 414, BadRequest),
    (UnsupportedMediaType("a", "text/plain"), 415, CGIError),
    (HTTPError(404, "no such page"), 404, CGIError),
    (FormExpired(403, "a"), 403, Refused),
    (SessionMoved(503, "a", (("Retry-After", "1"),)), 503, Refused),
    (LengthRequired(411, "a"), 411, Refused),
    (BodyNotReceived(408, "a"), 408, Refused),
    (LockTimeout("/var/data/count.dat", 2.5), 503, TimeoutError),
    (StorageError("/var/data/count.dat", "is not a number"), 500, OSError),
    (MissingFile(2, "No such file or directory", "/srv/a.txt"), 404, FileNotFoundError),
]


@pytest.mark.parametrize(("error", "status", "also"), EVERY, ids=lambda value: type(value).__name__)
def test_each_has_its_status_and_its_builtin(error: CGIError, status: int, also: type) -> None:
    assert isinstance(error, CGIError)
    assert isinstance(error, also)
    assert error.status == status
    assert error.message
    assert all(len(pair) == 2 for pair in error.headers)


def test_this_list_has_every_error_that_is_public() -> None:
    public = {
        value
        for name in cgikit.__all__
        if isinstance(value := getattr(cgikit, name), type) and issubclass(value, CGIError)
    }
    assert public == {
        type(error) for error, _, _ in EVERY if not isinstance(error, (Refused, MissingFile))
    }


@pytest.mark.parametrize(("error", "status", "also"), EVERY, ids=lambda value: type(value).__name__)
def test_an_error_survives_being_copied(error: CGIError, status: int, also: type) -> None:
    """Worker processes hand errors back by pickle; one that cannot be rebuilt hangs the pool."""
    for again in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert type(again) is type(error)
        assert str(again) == str(error)
        assert again.message == error.message
        assert vars(again) == vars(error)
        assert again.status == status


def test_the_evidence() -> None:
    field = InvalidField("age", None, "is missing")
    assert (field.field, field.value, field.reason) == ("age", None, "is missing")
    assert field.message == "field 'age' is missing"
    limit = LimitExceeded("fields", 10, 11)
    assert (limit.limit, limit.allowed, limit.seen) == ("fields", 10, 11)
    assert str(limit) == "the request exceeds the limit fields=10: it has 11 or more"
    assert UnsupportedMediaType("send JSON", "text/plain").content_type == "text/plain"
    lock = LockTimeout("/var/data/count.dat", 2.5)
    assert (lock.path, lock.timeout) == ("/var/data/count.dat", 2.5)
    assert "try again" in lock.message
    assert dict(lock.headers)["Retry-After"].isdigit()


def test_no_path_reaches_the_client() -> None:
    """S4: the log names the file, the page does not."""
    storage = StorageError("/var/data/count.dat", "is not a number: 'x'")
    assert str(storage) == "/var/data/count.dat: is not a number: 'x'"
    assert (storage.path, storage.reason) == ("/var/data/count.dat", "is not a number: 'x'")
    assert "/var" not in storage.message
    assert "/var" not in LockTimeout("/var/data/count.dat", 1).message


def test_a_long_field_name_does_not_fill_the_page() -> None:
    assert len(InvalidField("x" * 100_000, "", "is blank").message) < 200


def test_an_error_is_one_line() -> None:
    """S22: a field's name is the client's."""
    assert InvalidField("a\r\nb\x1b\u2028", "", "is blank").message.isprintable()


@pytest.mark.parametrize("status", [400, 404, 405, 451, 499, 500, 599])
def test_http_error(status: int) -> None:
    error = HTTPError(status, "because", (("Allow", "GET"),))
    assert (error.status, error.message, error.headers) == (status, "because", (("Allow", "GET"),))
    assert HTTPError(status, headers=[("A", "b")]).headers == (("A", "b"),)
    assert HTTPError(status, headers={"A": "b"}).headers == (("A", "b"),)


@pytest.mark.parametrize("status", [0, 200, 302, 399, 600, -404])
def test_http_error_is_for_errors(status: int) -> None:
    with pytest.raises(ValueError, match="400 to 599") as caught:
        HTTPError(status)
    assert not isinstance(caught.value, CGIError)


def test_what_the_programmer_did_wrong_is_no_answer_to_a_client() -> None:
    assert not issubclass(StateError, CGIError)
    assert issubclass(StateError, RuntimeError)


def test_a_message_where_the_status_belongs_is_named() -> None:
    with pytest.raises(TypeError, match="takes a status"):
        HTTPError("no such page")


LIMITS = sorted(n for n, value in vars(Limits).items() if isinstance(value, int) and n[0] != "_")


@pytest.mark.parametrize("name", LIMITS)
def test_a_visitor_is_told_in_words_which_limit_it_was(name: str) -> None:
    """A visitor's 413 said "the request exceeds the limit body=1048576: it has 2000194 or more"."""
    error = LimitExceeded(name, 1_048_576, 2_000_194)
    other = LimitExceeded("of a script's own", 1_048_576, 2_000_194)
    assert error.message != other.message  # a limit that is new needs its words
    for message in (error.message, other.message):
        assert "=" not in message
        assert "_" not in message
        assert "2000194" not in message
        assert message.endswith(".")
    assert f"{name}=1048576" in str(error)  # for the owner


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 bytes"), (1, "1 byte"), (1_023, "1023 bytes"), (1_024, "1 KB"), (1_600, "1.5 KB"),
     (64 << 20, "64 MB"), (2_000_000, "1.9 MB"), ((1 << 20) - 1, "1023.9 KB"), (512 << 20, "512 MB"),
     (2 << 30, "2 GB")],
)  # fmt: skip
def test_sizes_are_told_as_people_say_them(size: int, words: str) -> None:
    assert (
        LimitExceeded("body", size, size + 1).message
        == f"What you sent is too large (limit {words})."
    )


def test_what_the_system_says_fits_into_a_sentence() -> None:
    assert (
        reason_of(FileNotFoundError(2, "No such file or directory")) == "no such file or directory"
    )
    assert (
        reason_of(MissingFile()) == "missingFile"
    )  # and does not ask its own text, which asks this
    assert str(MissingFile()) == "None cannot be sent: missingFile"
