"""headerblock: one loop for every front end that runs one script per thread."""

import ast

import house
import pytest

from cgikit.host.executor import TimeLimit
from cgikit.host.headerblock import read_header
from cgikit.host.output import LocalRedirect, ScriptResponse
from cgikit.host.path import Script
from cgikit.host.problem import Problem

SCRIPT = Script("/srv/a.py", "/a.py", "")


class Pieces:
    """A run that has written these pieces; an error in their place is raised."""

    def __init__(self, *pieces: bytes | Exception, status: int = 0) -> None:
        self.pieces = list(pieces)
        self.status = status
        self.is_done = False

    def read(self) -> bytes:
        piece = self.pieces.pop(0) if self.pieces else b""
        if isinstance(piece, Exception):
            raise piece
        return piece

    def header_done(self) -> None:
        self.is_done = True

    def close(self) -> int:
        return self.status


def read(run: Pieces, script: Script = SCRIPT, errors: tuple[str, ...] = ()) -> object:
    return read_header(run, script, errors, "/bin", more_time="x=", remedy="Do this")


def test_it_ends_where_the_body_begins() -> None:
    run = Pieces(b"Content-Type: text/", b"plain\n\nbe", b"gun")
    found = read(run)
    assert isinstance(found, ScriptResponse)
    assert (found.status, found.rest, run.pieces, run.is_done) == (200, b"be", [b"gun"], True)
    assert read(Pieces(b"Location: /x\n\n")) == LocalRedirect("/x")
    nph = Script("/srv/nph-a.py", "/nph-a.py", "")
    found = read(Pieces(b"HTTP/1.0 404 No\r\nA: b\r\n\r\n"), nph)
    assert isinstance(found, ScriptResponse)
    assert found.status == 404


@pytest.mark.parametrize(
    ("run", "errors", "status", "said"),
    [
        (Pieces(), (), 500, "a.py printed nothing."),
        (Pieces(status=1), ("No module named 'cgi'",), 500, "module cgi. Do this, or"),
        (Pieces(b"half"), (), 500, "half"),
        (
            Pieces(b"a", TimeLimit("header", 2)),
            (),
            504,
            "within 2 seconds and was ended. Print the",
        ),
        (Pieces(TimeLimit("header", 2)), (), 504, "or allow more time with x=."),
    ],
)
def test_why_there_is_none(run: Pieces, errors: tuple[str, ...], status: int, said: str) -> None:
    with pytest.raises(Problem) as caught:
        read(run, errors=errors)
    assert caught.value.status == status
    assert said in caught.value.log_text
    assert not run.is_done


def test_no_other_module_has_this_loop() -> None:
    """It was written three times, and each time said something else about a script that is late."""
    users = set()
    for module in house.read():
        functions = [node for node in ast.walk(module.tree) if isinstance(node, ast.FunctionDef)]
        passing_on = {  # a run that wraps another one hands the call to it
            inner for each in functions if each.name == "header_done" for inner in ast.walk(each)
        }
        for node in ast.walk(module.tree):
            is_use = isinstance(node, ast.Attribute) and node.attr == "header_done"
            if is_use and node not in passing_on:
                users.add(module.name)
    assert users == {"host.headerblock"}
