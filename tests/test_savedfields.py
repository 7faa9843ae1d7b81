"""Fields in a file: CGI.pm and cgikit read what the other writes, and a cut file is noticed."""

import io
import json
import random
import resource
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from posting import MULTIPART, URLENCODED, field, file, multipart, post
from requirement import need

from cgikit import LimitExceeded, Limits, Request, StorageError, UnsupportedMediaType
from cgikit.savedfields import record, record_of_words

AWKWARD = [
    ("a", "1"),
    ("a", ""),
    ("", "no name"),
    ("line\nend", "x\r\ny\n\n="),
    ("=", "="),
    ("ü€\U0001f600", "ä\0\x1e\x1f"),
    ("a", "&;+%41 %zz~*"),
    (".cgifields", "box"),
    ("keywords", "two words"),
]


def saved(*requests: Request) -> bytes:
    out = io.BytesIO()
    for request in requests:
        request.save(out)
    return out.getvalue()


def loaded(raw: bytes, **options: object) -> list[Request]:
    source = io.BytesIO(raw)
    return list(iter(lambda: Request.load(source, **options), None))  # type: ignore[arg-type]


# --- with CGI.pm ------------------------------------------------------------------------------

#: Reads the records of standard input with `new(FILEHANDLE)`, says in the first line what is in them,
#: and saves them again.
PERL = r"""
use strict; use CGI; use JSON::PP;
binmode STDIN; binmode STDOUT;
my (@seen, @queries);
while (!eof(STDIN)) {
    my $query = CGI->new(\*STDIN);
    push @queries, $query;
    push @seen, [map { [map { unpack("H*", $_) } $_, $query->multi_param($_)] } $query->param];
}
print encode_json(\@seen), "\n";
$_->save(\*STDOUT) for @queries;
"""


def perl(records: bytes) -> tuple[list[list[list[bytes]]], bytes]:
    """What CGI.pm finds in records: for each the names, each with its values; and what it saves."""
    need("/usr/share/perl5/CGI.pm")
    done = subprocess.run(
        [need("perl"), "-e", PERL], input=records, capture_output=True, check=True, env={}
    )
    seen, _, again = done.stdout.partition(b"\n")
    found = [[[bytes.fromhex(t) for t in one] for one in fields] for fields in json.loads(seen)]
    return found, again


def grouped(fields: list[tuple[str, str]]) -> list[list[bytes]]:
    """What CGI.pm makes of fields: the values of each name together, without those for itself."""
    names: dict[str, list[bytes]] = {}
    for name, value in fields:
        if (name or value) and name not in {".cgifields", ".submit"}:
            names.setdefault(name, [name.encode()]).append(value.encode())
    return list(names.values())


def made_up(count: int) -> list[list[tuple[str, str]]]:
    """Records of all kinds of fields, the same in each run."""
    dice = random.Random(4)
    signs = "ab=&;+%\n\r\t \0~*./é€\U0001f600\"'<\x1e\x1f"

    def text(longest: int) -> str:
        return "".join(dice.choices(signs, k=dice.randint(0, longest)))

    every = [[(text(3), text(12)) for _ in range(dice.randint(0, 8))] for _ in range(count)]
    return [AWKWARD, [], *every]


def test_cgi_pm_reads_what_is_saved_and_saves_the_same() -> None:
    every = made_up(300)
    found, again = perl(b"".join(record(fields) for fields in every))
    assert found == [grouped(fields) for fields in every]
    # Byte for byte, in the order that CGI.pm keeps fields in.
    (first, *others), (_, *names) = again.split(b"\n=\n", 1), found
    assert first.splitlines()[-1] == b".cgifields=box"
    assert others == [
        b"".join(
            record([(name.decode(), value.decode()) for name, *values in one for value in values])
            for one in names
        )
    ]


def test_what_cgi_pm_saves_is_read() -> None:
    every = made_up(300)
    _, again = perl(b"".join(record(fields) for fields in every))
    requests = loaded(again)
    assert len(requests) == len(every)
    for request, fields in zip(requests, every, strict=True):
        assert sorted(request.params.pairs()) == sorted(p for p in fields if p != ("", ""))
    assert requests[0].params.getlist(".cgifields") == ["box"]


def test_cgi_pm_reads_the_words_of_an_isindex_query() -> None:
    found, again = perl(saved(Request({"QUERY_STRING": "two+w%C3%B6rds"}), Request({})))
    assert found == [[[b"keywords", b"two", "wörds".encode()]], []]
    assert loaded(again)[0].params.getlist("keywords") == ["two", "wörds"]


# --- alone ------------------------------------------------------------------------------------


def test_what_is_saved_is_loaded_in_its_order() -> None:
    body = multipart(field("a", b"1"), file("f", "x.txt", b"content"), field("a", b"2\n="))
    request = post(body, MULTIPART, QUERY_STRING="q=%C3%BC&a=3")
    first = Request({"QUERY_STRING": "x=1"})
    again = loaded(saved(first, request, Request({})))
    assert [one.params.pairs() for one in again] == [
        [("x", "1")],
        [("a", "1"), ("a", "2\n="), ("q", "ü"), ("a", "3")],
        [],
    ]


def test_loaded_fields_are_wherever_a_handler_looks_for_them() -> None:
    (one,) = loaded(saved(post(b"a=1&b=%C3%BC", URLENCODED)))
    assert one.params == one.form == one.query
    assert one.params.pairs() == [("a", "1"), ("b", "ü")]
    assert (one.method, one.query_string, one.keywords) == ("GET", "a=1&b=%C3%BC", [])
    assert (len(one.files), one.body, len(one.cookies)) == (0, b"", 0)
    assert loaded(saved(one))[0].params == one.params
    one.close()


def test_words_stay_words() -> None:
    request = Request({"QUERY_STRING": "two+w%20%C3%B6%3Drds"})
    assert saved(request) == b"two\nw%20%C3%B6%3Drds\n=\n"
    (again,) = loaded(saved(request))
    assert again.keywords == request.keywords == ["two", "w ö=rds"]
    assert again.params == request.params
    # Fields without values are none.
    assert saved(Request({"QUERY_STRING": "a&b"})) == b"a=\nb=\n=\n"
    assert saved(post(b"a=1", URLENCODED, QUERY_STRING="w")) == b"a=1\nw=\n=\n"


def test_a_field_without_name_and_value_does_not_end_a_record() -> None:
    (one,) = loaded(saved(Request({"QUERY_STRING": "a=1&=&b=2&=3"})))
    assert one.params.pairs() == [("a", "1"), ("b", "2"), ("", "3")]


@given(
    st.lists(st.lists(st.tuples(st.text(max_size=3), st.text(max_size=9)), max_size=5), max_size=4)
)
@example([AWKWARD, [], [("=", "")]])
def test_records_are_read_as_they_were_written(every: list[list[tuple[str, str]]]) -> None:
    raw = b"".join(record(fields) for fields in every)
    found = [request.params.pairs() for request in loaded(raw)]
    assert found == [[(n, v) for n, v in fields if n or v] for fields in every]


def test_what_is_not_text_is_saved_as_it_came() -> None:
    assert record([("\udcff", "\udcfe")]) == b"%FF=%FE\n=\n"


@given(st.binary(max_size=60))
@example(b"a=1\n=")
@example(b"a\n\n=\n=\n")
def test_any_file_is_read_or_refused(raw: bytes) -> None:
    try:
        for request in loaded(raw):
            request.params.pairs()
    except StorageError:
        assert not raw.endswith(b"=\n")


def test_a_file_that_people_wrote_is_read() -> None:
    raw = b"name=Ada Lovelace&b=1\n\nflag\n=\n"
    assert loaded(raw)[0].params.pairs() == [("name", "Ada Lovelace"), ("b", "1"), ("flag", "")]


def test_the_charset_of_an_old_file_can_be_given() -> None:
    (one,) = loaded(b"stra%DFe=%80\n=\n", charset="iso-8859-1")
    assert one.params.pairs() == [("straße", "€")]
    assert saved(one) == b"stra%C3%9Fe=%E2%82%AC\n=\n"
    assert loaded(b"a=%FF\n=\n")[0].params["a"] == "\ufffd"
    with pytest.raises(ValueError, match="field 'a' is not valid UTF-8"):
        loaded(b"a=%FF\n=\n", errors="strict")


# --- what goes wrong --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (b"a=1\n=\nb=2\n", "the line b'b=2'"),
        (b"a=1\nb=2", "the line b'b=2'"),
        (b"a=1\n\n", "the line b'a=1'"),
        (b"\n", "an empty line"),
        (b"a=1\r\n=\r\n", r"the line b'=\r'"),
    ],
)
def test_a_file_that_ends_inside_a_record_is_an_error(
    tmp_path: Path, raw: bytes, found: str
) -> None:
    path = tmp_path / "orders"
    path.write_bytes(raw)
    with open(path, "rb") as source, pytest.raises(StorageError) as caught:
        list(iter(lambda: Request.load(source), None))
    assert str(caught.value).startswith(f"{path}: it ends inside a record, after {found}; a record")
    assert "ends with a line '='. Complete or remove this record" in str(caught.value)
    assert str(path) not in caught.value.message
    with pytest.raises(StorageError, match=r"^the file: it ends inside"):
        loaded(raw)


def test_a_record_is_limited() -> None:
    limits = Limits(fields=3, memory=20)
    assert len(loaded(b"a=1\nb=2\nc=3\n=\n" * 5, limits=limits)) == 5
    for raw, limit in (
        (b"a\n" * 4, "fields"),
        (b"a&b&c&d\n=\n", "fields"),
        (b"a=%b\n=\n" % (b"x" * 20), "memory"),
        (b"\n" * 30, "memory"),
    ):
        with pytest.raises(LimitExceeded) as caught:
            loaded(raw, limits=limits)
        assert caught.value.limit == limit


def test_a_record_without_end_is_not_read_into_memory() -> None:
    class Endless(io.RawIOBase):
        taken = most = 0

        def readline(self, size: int | None = -1, /) -> bytes:
            assert size is not None
            self.most = max(self.most, size)
            self.taken += size
            return b"x" * size

    source = Endless()
    with pytest.raises(LimitExceeded):
        Request.load(source, limits=Limits(memory=1_000))  # type: ignore[arg-type]
    assert 3_000 < source.most <= 65_536
    assert source.taken < (1 << 30) + 100_000  # it is not looked for its end for ever


def test_a_record_may_be_longer_than_a_query() -> None:
    (one,) = loaded(b"a=%b\n=\n" % (b"x" * 200), limits=Limits(query=10))
    assert (len(one.query["a"]), one.keywords) == (200, [])


def test_a_text_file_without_a_name_is_not_given_one() -> None:
    with pytest.raises(TypeError, match=r"^the file is open for text; open it for bytes"):
        Request.load(io.StringIO("a=1\n=\n"))  # type: ignore[arg-type]


def test_a_file_for_text_is_the_programmer_s_mistake(tmp_path: Path) -> None:
    path = tmp_path / "f"
    with open(path, "w+") as text:
        with pytest.raises(
            TypeError, match=r"is open for text; open it for bytes: open\(path, 'ab'\)"
        ):
            Request({}).save(text)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match=r"is open for text; .* open\(path, 'rb'\)"):
            Request.load(text)  # type: ignore[arg-type]
    assert path.read_bytes() == b""


def test_a_body_that_is_no_form_is_not_saved_as_none() -> None:
    out = io.BytesIO()
    with pytest.raises(UnsupportedMediaType):
        post(b"{}", "application/json").save(out)
    assert out.getvalue() == b""


def test_records_that_several_append_stay_whole(tmp_path: Path) -> None:
    path = tmp_path / "orders"

    def write(number: int) -> None:
        for count in range(50):
            with open(path, "ab") as out:
                Request({"QUERY_STRING": f"n={number}&c={count}&x={'x' * 3_000}"}).save(out)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = {(r.query["n"], r.query["c"]) for r in loaded(path.read_bytes())}
    assert found == {(str(n), str(c)) for n in range(4) for c in range(50)}


def test_a_file_without_a_buffer_gets_all_of_it() -> None:
    class Slow(io.RawIOBase):
        def __init__(self) -> None:
            self.taken = b""

        def write(self, data: object, /) -> int:
            piece = bytes(data)[:3]  # type: ignore[call-overload]
            self.taken += piece
            return len(piece)

    out = Slow()
    Request({"QUERY_STRING": "name=value"}).save(out)  # type: ignore[arg-type]
    assert out.taken == b"name=value\n=\n"


def test_words_are_written_without_what_ends_a_record() -> None:
    assert record_of_words(["=", "a\nb"]) == b"%3D\na%0Ab\n=\n"


def refused_and_next(raw: bytes, limits: Limits) -> list[list[tuple[str, str]]]:
    """The records that come after the one that is refused, which is the first."""
    source = io.BytesIO(raw)
    with pytest.raises(LimitExceeded):
        Request.load(source, limits=limits)
    after = iter(lambda: Request.load(source, limits=limits), None)
    return [request.params.pairs() for request in after]


MANY = "&".join(["a=1"] * 501)


@pytest.mark.parametrize(
    ("request_", "limit"),
    [
        (post(MANY.encode(), URLENCODED, QUERY_STRING=MANY), "fields"),
        (Request({"QUERY_STRING": "+".join(["w"] * 1_001)}), "fields"),
        (
            Request({"QUERY_STRING": "aa=1234567"}, limits=Limits(memory=10)),
            "memory",
        ),
    ],
    ids=["both", "words", "bytes"],
)
def test_save_refuses_what_load_would_refuse(request_: Request, limit: str) -> None:
    """One POST with as many fields in the query made a file unreadable for everybody."""
    out = io.BytesIO()
    with pytest.raises(LimitExceeded) as caught:
        request_.save(out)
    assert (caught.value.limit, caught.value.status, out.getvalue()) == (limit, 413, b"")


def test_what_is_just_within_the_limits_is_saved_and_loaded() -> None:
    many = "&".join(["a=1"] * 500)
    (one,) = loaded(saved(post(many.encode(), URLENCODED, QUERY_STRING=many)))
    assert len(one.params.pairs()) == 1_000
    limits = Limits(memory=11)
    request = Request({"QUERY_STRING": "aa=1234567"}, limits=limits)
    assert loaded(saved(request, request), limits=limits)[1].params.pairs() == [("aa", "1234567")]


def test_the_limit_of_a_record_counts_no_escapes() -> None:
    """Three megabytes of line breaks in a form were nine in the file, and refused there."""
    limits = Limits(memory=40)
    request = post(multipart(field("a", b"\n" * 37)), MULTIPART, limits=limits)
    raw = saved(request)
    assert len(raw) > 100
    assert loaded(raw * 2, limits=limits)[1].params.pairs() == [("a", "\n" * 37)]
    assert refused_and_next(b"b" + raw, limits) == []


@pytest.mark.parametrize("count", [5, 40, 70_000])
@pytest.mark.parametrize("line", [b"%bx=1\n", b"x=%b1\n", b"b=2\n" * 4 + b"%bx=1\n"])
def test_the_rest_of_a_record_over_the_limits_is_no_record(line: bytes, count: int) -> None:
    raw = line % (b"x" * count) + b"role=admin\n" * 9 + b"=evil\n=\n" + b"name=Bob\n=\n"
    assert refused_and_next(raw, Limits(fields=3, memory=20)) == [[("name", "Bob")]]


def test_a_record_over_the_limits_may_be_the_last() -> None:
    for end in (b"", b"=", b"=\n", b"\n="):
        assert refused_and_next(b"x" * 30 + end, Limits(memory=5)) == []


@pytest.mark.parametrize("fill", range(1, 12))
def test_a_line_that_begins_with_the_sign_of_the_end_is_not_the_end(fill: int) -> None:
    """At the limit, `=` was read alone of `=evil`, and ended the record."""
    raw = b"x" * fill + b"=\n=evil\nrole=admin\n=\nname=Bob\n=\n"
    assert refused_and_next(raw, Limits(memory=10)) == [[("name", "Bob")]]


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """No file gets larger than `size` bytes: a write stops there, and the next one fails."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [5, 100, 20_000])
@pytest.mark.parametrize("mode", ["ab", "a+b", "wb", "r+b"])
@pytest.mark.parametrize("buffering", [-1, 0])
def test_a_record_that_does_not_fit_leaves_nothing(
    tmp_path: Path, mode: str, buffering: int, size: int
) -> None:
    """The next visitor's fields were appended to those of the one before, as one record."""
    path = tmp_path / "orders"
    first = saved(Request({"QUERY_STRING": "a=1"}))
    path.write_bytes(first)
    request = Request({"QUERY_STRING": f"secret={'x' * 30_000}"})
    with open(path, mode, buffering) as out:
        out.seek(0, 2)
        with full_disk(len(first) + size), pytest.raises(OSError, match="large"):
            request.save(out)
    kept = b"" if mode == "wb" else first
    assert path.read_bytes() == kept
    with open(path, "ab") as out:
        Request({"QUERY_STRING": "b=2"}).save(out)
    assert path.read_bytes() == kept + b"b=2\n=\n"


@pytest.mark.parametrize("buffering", [-1, 0])
def test_a_file_can_be_read_before_and_after_a_record_is_saved(
    tmp_path: Path, buffering: int
) -> None:
    with open(tmp_path / "orders", "a+b", buffering) as file:
        for count in range(4):
            Request({"QUERY_STRING": f"a={count}"}).save(file)
            file.seek(0)
            every = iter(lambda: Request.load(file), None)
            assert [one.params["a"] for one in every] == [str(n) for n in range(count + 1)]
            file.seek(2 * count)


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (b"a=1\n=\nb=2\n", "the line b'b=2'"),
        (b"a=1\nb=", "the line b'b='"),
        (b"a=1\r\n=\r\n", r"the line b'=\r'"),
    ],
)
def test_nothing_is_appended_to_a_cut_record(tmp_path: Path, raw: bytes, found: str) -> None:
    path = tmp_path / "orders"
    path.write_bytes(raw)
    with open(path, "a+b") as file, pytest.raises(StorageError) as caught:
        Request({"QUERY_STRING": "c=3"}).save(file)
    assert str(caught.value).startswith(f"{path}: it ends inside a record, after {found}; a record")
    assert path.read_bytes() == raw


@pytest.mark.parametrize("raw", [b"=", b"a=1\n="])
def test_the_last_line_of_a_file_may_lack_its_break(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "orders"
    path.write_bytes(raw)
    with open(path, "a+b") as file:
        Request({"QUERY_STRING": "c=3"}).save(file)
    assert path.read_bytes() == raw + b"\nc=3\n=\n"
