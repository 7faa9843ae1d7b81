"""multipart/form-data: what browsers send, what they never would, and every way of cutting it.

A case of the corpus is two files in data/multipart: NAME.body, the bytes, and NAME.json, the
Content-Type and what must come of them. "strict" is the error under errors="strict".
"""

import io
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from posting import (
    MULTIPART,
    descriptors,
    field,
    file,
    multipart,
    part,
    post,
)
from properties import outcome

import cgikit
from cgikit import BadRequest, CGIError, LimitExceeded, Limits, Request
from cgikit.multipart import Part, parse

DATA = Path(__file__).parent / "data" / "multipart"
CASES = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(DATA.glob("*.json"))}
GOOD = [name for name, case in CASES.items() if "error" not in case]
BAD = [name for name, case in CASES.items() if "error" in case]


def body_of(name: str) -> bytes:
    return (DATA / f"{name}.body").read_bytes()


def collected(request: Request) -> dict[str, list[Any]]:
    """What a request's form holds, as a case says it."""
    files = [
        {
            "name": name,
            "client_filename": upload.client_filename,
            "filename": upload.filename,
            "content_type": upload.content_type,
            "content": upload.read().decode("utf-8", "replace"),
        }
        for name, upload in request.files.pairs()
    ]
    return {"fields": [list(pair) for pair in request.form.pairs()], "files": files}


# --- the corpus ----------------------------------------------------------------------------------


def test_the_corpus_is_in_pairs() -> None:
    assert {path.stem for path in DATA.glob("*.body")} == set(CASES)
    assert len(GOOD) > 20
    assert len(BAD) > 40


@pytest.mark.parametrize("name", GOOD)
def test_what_clients_send(name: str, tmp_path: Path) -> None:
    case, body = CASES[name], body_of(name)
    request = post(body, case["content_type"], upload_dir=tmp_path)
    assert collected(request) == {"fields": case["fields"], "files": case["files"]}
    request.close()
    strict = post(body, case["content_type"], errors="strict", upload_dir=tmp_path)
    if "strict" in case:
        with pytest.raises(getattr(cgikit, case["strict"])):
            strict.form  # noqa: B018
    else:
        assert collected(strict) == {"fields": case["fields"], "files": case["files"]}
    strict.close()


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("errors", ["replace", "strict"])
def test_what_no_client_may_send(name: str, errors: str, tmp_path: Path) -> None:
    case = CASES[name]
    before = descriptors()
    with pytest.raises(CGIError) as caught:
        post(body_of(name), case["content_type"], errors=errors, upload_dir=tmp_path).form  # noqa: B018
    assert type(caught.value).__name__ == case["error"]
    assert case["message"] in str(caught.value)
    assert len(str(caught.value)) < 300
    assert "Error(" not in str(caught.value)
    assert descriptors() == before
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name",
    ["chrome-text-file-empty-order", "curl-form", "java-client-lengths-and-encodings", "no-parts"],
)
def test_a_body_cut_off_anywhere_is_an_error(name: str, tmp_path: Path) -> None:
    body, content_type = body_of(name), CASES[name]["content_type"]
    complete = body.rindex(b"--") + 2  # the line end after the last boundary is not needed
    before = descriptors()
    for end in range(complete):
        with pytest.raises(BadRequest):  # a sender that says how little it sends
            post(body[:end] or b"x", content_type, upload_dir=tmp_path).form  # noqa: B018
        short = io.BytesIO(body[:end])
        with pytest.raises(BadRequest, match="the body ended after"):  # one that promised more
            post(body, content_type, source=short, upload_dir=tmp_path).form  # noqa: B018
    assert descriptors() == before
    assert list(tmp_path.iterdir()) == []


# --- however it is cut ---------------------------------------------------------------------------


def events(chunks: Iterable[bytes], content_type: str, length: int, limits: Limits) -> list[Any]:
    """The parts with their contents joined; at the end the kind of error, if there was one."""
    found: list[Any] = []
    try:
        for event in parse(chunks, content_type, length=length, limits=limits):
            if isinstance(event, Part):
                header = (event.name, event.filename, event.content_type, event.charset)
                found.append([header, b"", "open"])
            elif event is not None:
                found[-1][1] += event
            else:
                found[-1][2] = "complete"
    except CGIError as error:
        # What is both malformed and too large is either, depending on which is seen first; how much
        # of a part came before the error depends on the cut.
        kind = "refused" if isinstance(error, BadRequest) else type(error).__name__
        return [one for one in found if one[2] == "complete"] + [kind]
    assert all(one[2] == "complete" for one in found)
    return found


def cut(body: bytes, places: Iterable[int]) -> Iterator[bytes]:
    start = 0
    for place in sorted(places):
        yield body[start:place]
        start = place
    yield body[start:]


TIGHT = Limits(fields=3, files=3, field=40, file=60, part_headers=4, part_header=100)


@pytest.mark.parametrize("limits", [Limits(), TIGHT], ids=["default", "tight"])
@pytest.mark.parametrize("name", CASES)
def test_the_cut_does_not_matter(name: str, limits: Limits) -> None:
    body, content_type = body_of(name), CASES[name]["content_type"]
    whole = events([body], content_type, len(body), limits)
    for size in (1, 2, 3, 7, len(body) // 2 or 1):
        pieces = cut(body, range(size, len(body), size))
        assert events(pieces, content_type, len(body), limits) == whole
    for place in range(len(body)):
        assert events(cut(body, [place]), content_type, len(body), limits) == whole


#: Pieces out of which hostile bodies are made.
SCRAPS = st.sampled_from(
    [
        b"--b\r\n",
        b"\r\n--b\r\n",
        b"\r\n--b--\r\n",
        b"--b--",
        b"--b",
        b"\r\n--b \t\r\n",
        b"\r\n\r\n--b\r\n",
        b"\r\n",
        b"\n",
        b"\r",
        b"\0",
        b"-",
        b" ",
        b'Content-Disposition: form-data; name="a"',
        b'Content-Disposition: form-data; name="f"; filename="x\\y"',
        b'Content-Disposition: form-data; name="f"; filename=""',
        b"Content-Disposition:\tform-data;\tname=a; filename*=UTF-8''%41",
        b"Content-Type: text/plain; charset=latin-1",
        b"Content-Type: multipart/mixed; boundary=b",
        b"Content-Length: 3",
        b"Content-Transfer-Encoding: base64",
        b"X: " + b"y" * 97,
        b"X: " + b"y" * 98,
        b"\xff\xfe",
        b"abc",
        b"x" * 61,
    ]
)
BODIES = st.lists(SCRAPS | st.binary(max_size=6), max_size=30).map(b"".join)
WITH_PART = BODIES.map(lambda rest: b'--b\r\nContent-Disposition: form-data; name="a"\r\n' + rest)


@settings(max_examples=1000)
@given(BODIES | WITH_PART, st.data())
def test_the_cut_never_matters(body: bytes, data: st.DataObject) -> None:
    content_type = "multipart/form-data; boundary=b"
    whole = events([body], content_type, len(body), TIGHT)
    each = [body[at : at + 1] for at in range(len(body))]
    assert events(each, content_type, len(body), TIGHT) == whole
    places = data.draw(st.lists(st.integers(0, len(body)), max_size=8))
    assert events(cut(body, places), content_type, len(body), TIGHT) == whole


@given(
    st.lists(
        st.tuples(st.text(max_size=9), st.none() | st.text(max_size=9), st.binary(max_size=99)),
        max_size=6,
    ),
    st.data(),
)
def test_what_a_browser_encodes_comes_out_again(
    parts: list[tuple[str, str | None, bytes]], data: st.DataObject
) -> None:
    def encode(text: str) -> str:  # WHATWG HTML, multipart/form-data encoding algorithm
        return text.replace("\n", "%0A").replace("\r", "%0D").replace('"', "%22")

    clean = [
        (plain(name), None if filename is None else plain(filename), content)
        for name, filename, content in parts
    ]
    body = multipart(
        *(
            field(encode(name), content)
            if filename is None
            else file(encode(name), encode(filename), content)
            for name, filename, content in clean
        )
    )
    places = data.draw(st.lists(st.integers(0, len(body)), max_size=8))
    found = events(cut(body, places), MULTIPART, len(body), Limits())
    assert [(one[0][0], one[0][1], one[1]) for one in found] == clean


def plain(text: str) -> str:
    """The text without what the wire cannot carry or means something else on it."""
    return (
        "".join(char for char in text if char not in '\0\\%"\ud800')
        .encode("utf-8", "ignore")
        .decode()
    )


@given(st.sampled_from(GOOD), st.data())
def test_a_damaged_body_gives_a_form_or_a_cgi_error(name: str, data: st.DataObject) -> None:
    body = bytearray(body_of(name))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(body)))
        until = data.draw(st.integers(at, min(len(body), at + 12)))
        body[at:until] = data.draw(SCRAPS | st.binary(max_size=4))
    errors = data.draw(st.sampled_from(["replace", "strict"]))
    request = post(bytes(body) or b"x", CASES[name]["content_type"], errors=errors)
    outcome(collected, request)
    request.close()


@given(st.text(max_size=30) | st.text('boundary=";\\ ,', max_size=40), BODIES)
def test_any_content_type_gives_a_form_or_a_cgi_error(parameters: str, body: bytes) -> None:
    request = post(body or b"x", f"multipart/form-data;{parameters}")
    outcome(collected, request)
    request.close()


# --- limits: N, N + 1, 10 N (S14) ----------------------------------------------------------------

BIG = b"x" * 70_000  # more than waits in memory: its file is on disk


def fields(count: int) -> bytes:
    return multipart(*(field(f"n{at}", b"v") for at in range(count)))


def files(count: int) -> bytes:
    return multipart(*(file("f", f"{at}.txt", BIG) for at in range(count)))


def unnamed_files(count: int) -> bytes:
    return multipart(*(file("f", "", BIG) for _ in range(count)))


def in_one_field(count: int) -> bytes:
    return multipart(file("first", "x", BIG), field("a", b"x" * count))


def in_all_fields(count: int) -> bytes:
    return multipart(
        file("first", "x", BIG),
        field("a", b"x" * (count // 2)),
        field("b", b"x" * (count - count // 2)),
    )


def in_one_file(count: int) -> bytes:
    return multipart(file("first", "x", BIG), file("a", "x", b"x" * count))


def headers(count: int) -> bytes:
    more = "".join(f"\r\nX-{at}: y" for at in range(count - 1))
    return multipart(
        file("first", "x", BIG), part(f'Content-Disposition: form-data; name="a"{more}')
    )


def header(count: int) -> bytes:
    start = 'Content-Disposition: form-data; name="a"; x="'
    line = start + "y" * (count - len(start) - 1) + '"'
    return multipart(file("first", "x", BIG), part(line))


@pytest.mark.parametrize(
    ("limit", "allowed", "make"),
    [
        ("fields", 5, fields),
        ("fields", 1000, fields),
        ("files", 3, files),
        ("files", 3, unnamed_files),
        ("field", 1000, in_one_field),
        ("field", 0, in_one_field),
        ("memory", 1000, in_all_fields),
        ("file", 80_000, in_one_file),
        ("part_headers", 3, headers),
        ("part_header", 100, header),
        ("part_header", 4224, header),
    ],
)
@pytest.mark.parametrize("dripping", [False, True], ids=["in full pieces", "byte by byte"])
def test_limits_are_exact_and_named(
    limit: str, allowed: int, make: Any, dripping: bool, tmp_path: Path
) -> None:
    limits = Limits(**{limit: allowed})
    before = descriptors()

    def read(count: int) -> None:
        body = make(count)
        if not dripping:
            request = post(body, limits=limits, upload_dir=tmp_path)
            assert len(request.form.pairs()) + len(request.files.pairs()) > 0
            request.close()
        else:
            # The last bytes one by one, which is where things are decided.
            cuts = [len(body) - at for at in range(min(len(body), 5000))]
            for _ in parse(cut(body, cuts), MULTIPART, length=len(body), limits=limits):
                pass

    read(allowed)
    for count in {allowed + 1, 10 * allowed or 10}:
        with pytest.raises(LimitExceeded) as caught:
            read(count)
        error = caught.value
        assert (error.status, error.limit, error.allowed) == (413, limit, allowed)
        assert allowed < error.seen <= max(count, 262_144)
        assert f"{limit}={allowed}" in str(error)
        assert str(error.seen) in str(error)
    assert descriptors() == before
    assert list(tmp_path.iterdir()) == []


def test_the_boundary_may_have_70_characters() -> None:
    longest = "b" * 70
    body = multipart(field("a", b"1"), boundary=longest)
    assert post(body, f"multipart/form-data; boundary={longest}").form["a"] == "1"
    for count in (71, 700):
        with pytest.raises(LimitExceeded) as caught:
            post(body, f"multipart/form-data; boundary={'b' * count}").form  # noqa: B018
        assert (caught.value.limit, caught.value.allowed, caught.value.seen) == (
            "boundary",
            70,
            count,
        )


def test_empty_file_inputs_are_neither_files_nor_endless() -> None:
    limits = Limits(fields=2, files=1)
    assert post(multipart(*[file("f", "")] * 3), limits=limits).files.pairs() == []
    with pytest.raises(LimitExceeded):
        post(multipart(*[file("f", "")] * 10), limits=limits).form  # noqa: B018


def test_a_field_over_what_waits_in_memory_is_still_a_field() -> None:
    request = post(multipart(field("a", BIG)))
    assert request.form["a"] == BIG.decode()
    assert request.files.pairs() == []


def test_a_long_field_is_not_taken_for_a_file() -> None:
    with pytest.raises(LimitExceeded, match="field=1000"):
        post(multipart(field("a", BIG)), limits=Limits(field=1000, file=10)).form  # noqa: B018


def test_ten_thousand_and_one_fields() -> None:
    with pytest.raises(LimitExceeded, match="fields=1000"):
        post(fields(10_001)).form  # noqa: B018
