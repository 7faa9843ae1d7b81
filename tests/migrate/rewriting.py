"""What the tests of the rules share: a program in, the rewritten one or the report out."""

from textwrap import dedent

from cgikit.migrate.rewrite import rewrite


def migrated(program: str, *, unsafe: bool = False, exported: bool = False) -> str:
    """Return what becomes of a program."""
    data = dedent(program).encode()
    outcome = rewrite(data, unsafe=unsafe, exported=lambda name: exported)
    return (data if outcome.data is None else outcome.data).decode()


def reported(program: str, *, unsafe: bool = False) -> list[tuple[int, str]]:
    """Return the lines of the report: number and text."""
    notes = rewrite(dedent(program).encode(), unsafe=unsafe).notes
    return [(note.line, note.text) for note in notes]


def in_form(use: str, form: str = "cgi.FieldStorage()") -> str:
    """Return what becomes of a line that uses a form, under --unsafe."""
    program = f"#!/usr/bin/env python3\nimport cgi\nform = {form}\n{use}\n"
    *_, line = migrated(program, unsafe=True).splitlines()
    return line
