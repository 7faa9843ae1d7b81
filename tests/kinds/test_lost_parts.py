"""No part of a form is lost, made up, or taken for another one: as many parts as there are boundaries.

A part without a body swallowed the one behind it; whatever stood behind the last boundary was dropped
in silence; a name that was not understood became the field without a name. The kind: a parser that goes
on where it has not understood. So for every body, however it was made, the boundaries in it are counted
here in another way, and either there are as many parts, each with the name that it was sent with, or
the body is refused.
"""

import json
import re
from email.message import Message
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cgikit import CGIError, Limits
from cgikit.multipart import Part, parse
from cgikit.parameters import parse_header

DATA = Path(__file__).parents[1] / "data" / "multipart"
BODIES = {path.stem: path for path in sorted(DATA.glob("*.body"))}
ACCEPTED = [name for name in BODIES if not name.startswith("bad-")]

SPELLINGS = [
    b'Content-Disposition: form-data; name="a"',
    b'content-disposition:\tform-data;\tname="a"',
    b"Content-Disposition: attachment; name=a",
    b'Content-Disposition: form-data; name="a"; filename="x"',
    b"Content-Disposition: form-data; name=a; filename*=UTF-8''x",
    b'Content-Disposition: form-data; name="a',
    b"Content-Disposition: form-data",
    b"Content-Disposition: form-data; filename=a",
]
PIECES = st.sampled_from(
    [
        b"--b",
        b"--b\r\n",
        b"\r\n--b\r\n",
        b"\r\n--b--\r\n",
        b"--b-- \r\n",
        b"--",
        b"\r\n",
        b"\n",
        b" ",
    ]
    + [line + end for line in SPELLINGS for end in (b"\r\n", b"\r\n\r\n", b"\r\n\r\n1\r\n")]
)


def parts_of(body: bytes, content_type: str) -> list[Part] | None:
    """The parts of a body, None if it is refused."""
    try:
        events = parse([body], content_type, length=len(body), limits=Limits())
        return [event for event in events if isinstance(event, Part)]
    except CGIError:
        return None


def boundaries(body: bytes, boundary: bytes) -> int:
    """How many lines of a body begin with the boundary."""
    return len(re.findall(rb"(?<=\r\n)--" + re.escape(boundary), b"\r\n" + body))


@given(st.lists(PIECES, max_size=12).map(b"".join))
@example(b"--b\r\n" + SPELLINGS[0] + b"\r\n\r\n--b\r\n" + SPELLINGS[0] + b"\r\n\r\n1\r\n--b--")
def test_3_1_there_are_as_many_parts_as_boundaries(body: bytes) -> None:
    parts = parts_of(body, "multipart/form-data; boundary=b")
    if parts is not None:
        assert len(parts) == boundaries(body, b"b") - 1  # the last one ends the body
        assert {part.name for part in parts} <= {"a"}


@pytest.mark.parametrize("name", ACCEPTED)
def test_3_1_nothing_of_what_clients_send_is_lost(name: str) -> None:
    case = json.loads(BODIES[name].with_suffix(".json").read_text("utf-8"))
    body = BODIES[name].read_bytes()
    boundary = parse_header(case["content_type"])[1]["boundary"].encode()
    parts = parts_of(body, case["content_type"])
    assert parts is not None
    assert len(parts) == boundaries(body, boundary) - 1
    assert len(case["fields"]) == sum(part.filename is None for part in parts)


@pytest.mark.parametrize("line", SPELLINGS, ids=bytes.decode)
def test_3_2_a_part_is_what_the_standard_library_takes_it_for_or_refused(line: bytes) -> None:
    """The email package is the peer: what has a file name there is a file here."""
    body = b"--b\r\n" + line + b"\r\n\r\n1\r\n--b--\r\n"
    parts = parts_of(body, "multipart/form-data; boundary=b")
    peer = Message()
    peer["Content-Disposition"] = line.decode().partition(":")[2].strip().replace("\t", " ")
    name = peer.get_param("name", None, "content-disposition")
    if parts is None:
        assert not name or line.count(b'"') % 2
        return
    assert [(part.name, part.filename) for part in parts] == [(name, peer.get_filename(None))]
