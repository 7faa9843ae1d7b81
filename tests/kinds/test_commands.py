"""What every command says: each option has its help, each help an example, each slip its suggestion.

`cgikit serve --prot` said "unrecognized arguments", no `--help` had an example, and some messages began
with "[Errno 13]". The commands are found in the parser, the messages in the source.
"""

import argparse
import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import house
import pytest

from cgikit.cli import main, parser

MODULES = house.read()


def parsers(of: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """A parser, and all below it."""
    yield of
    for action in of._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from parsers(below)


ALL = {each.prog: each for each in parsers(parser())}
OPTIONS = [
    (prog, option)
    for prog, each in ALL.items()
    for action in each._actions
    for option in action.option_strings
    if option.startswith("--")
]
COMMANDS = [
    (prog, name)
    for prog, each in ALL.items()
    for action in each._actions
    if isinstance(action, argparse._SubParsersAction)
    for name in action.choices
]


def said(capsys: pytest.CaptureFixture[str], line: str) -> str:
    """What a command line that is wrong usage says last."""
    with pytest.raises(SystemExit) as caught:
        main(shlex.split(line)[1:])
    assert caught.value.code == 2
    return capsys.readouterr().err.splitlines()[-1]


def test_the_commands_are_found() -> None:
    assert {"cgikit", "cgikit config", "cgikit serve", "cgikit sessions list"} <= set(ALL)
    assert len(OPTIONS) > 40


@pytest.mark.parametrize("prog", ALL)
def test_every_help_has_an_example_that_is_right(prog: str) -> None:
    examples = re.findall(
        r"^(?:Example:|  (?=cgikit )) *(.+)$", ALL[prog].epilog or "", re.MULTILINE
    )
    assert examples, f"{prog} --help has no example"
    for example in examples:
        assert example.startswith(f"{prog} ")
        parser().parse_args(shlex.split(example)[1:])


def test_the_help_of_all_has_an_example_of_each_command() -> None:
    for name, each in parser().commands.choices.items():
        example = str(each.epilog).partition("\n")[0].removeprefix("Example: ")
        assert example.startswith(f"cgikit {name} ")
        assert f"\n  {example}\n" in str(parser().epilog)


@pytest.mark.parametrize("prog", ALL)
def test_every_help_names_a_page_that_tells_of_the_command(prog: str) -> None:
    """The help had an example and did not say where to read on."""
    pages = re.findall(r"page (index|[a-z]+/[a-z-]+)", ALL[prog].epilog or "")
    assert pages
    for page in pages:
        text = (house.ROOT / "docs" / f"{page}.md").read_text()
        assert prog in text, f"{page} does not speak of {prog}"
    if prog != "cgikit":
        last = str(ALL[prog].epilog).split("\n")[1:]
        assert last == [f"Documentation: page {pages[-1]}"]


@pytest.mark.parametrize("prog", ALL)
def test_every_help_fits_a_terminal(prog: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The description of `cgikit --help` was a line of 123 characters."""
    monkeypatch.setenv("COLUMNS", "80")
    long = [line for line in ALL[prog].format_help().splitlines() if len(line) > 80]
    assert long == []


@pytest.mark.parametrize("prog", ALL)
def test_every_command_has_a_help_of_one_line(prog: str) -> None:
    for action in ALL[prog]._actions:
        if isinstance(action, argparse._SubParsersAction):
            for listed in action._choices_actions:
                text = str(listed.help)
                assert len(text) <= 66, f"{prog} {listed.dest}: {text}"  # beside its name
                assert text[0].islower()


@pytest.mark.parametrize("prog", ALL)
def test_every_default_is_shown_in_one_way(prog: str) -> None:
    """Some said (60), some (default: page)."""
    for action in ALL[prog]._actions:
        shown = isinstance(action.default, str | int | float) and not isinstance(
            action.default, bool
        )
        if shown and action.default not in ("", argparse.SUPPRESS):
            assert action.help is not None
            value = action.default
            if isinstance(value, float):
                value = f"{value:g}"
            elif action.metavar == "OCTAL":
                value = f"{value:04o}"
            text = action.help % {"default": action.default}
            assert f"(default: {value}" in text, f"{prog} {action.dest}: {action.help}"


@pytest.mark.parametrize("prog", ALL)
def test_every_argument_has_its_help(prog: str) -> None:
    for action in ALL[prog]._actions:
        name = "/".join(action.option_strings) or action.dest
        if isinstance(action, argparse._SubParsersAction):
            texts = [listed.help for listed in action._choices_actions]
        else:
            texts = [action.help]
        for text in texts:
            assert text, f"{prog} {name} has no help"
            assert not text.endswith("."), f"{prog} {name}: {text}"


@pytest.mark.parametrize(("prog", "option"), OPTIONS, ids=map(" ".join, OPTIONS))
def test_every_misspelt_option_is_recognized(
    capsys: pytest.CaptureFixture[str], prog: str, option: str
) -> None:
    wrong = f"{option}{option[-1]}"
    line = said(capsys, f"{prog} {wrong}")
    assert line == f"{prog}: error: '{wrong}' is not an option; did you mean {option}?"


@pytest.mark.parametrize(("prog", "name"), COMMANDS, ids=map(" ".join, COMMANDS))
def test_every_misspelt_command_is_recognized(
    capsys: pytest.CaptureFixture[str], prog: str, name: str
) -> None:
    line = said(capsys, f"{prog} {name[0]}{name}")
    assert line.startswith(f"{prog}: error: '{name[0]}{name}' is not one of ")
    assert line.endswith(f"; did you mean {name}?")


# --- numbers of errors --------------------------------------------------------------------------

#: Errors that say "[Errno N]" when they are put into a text; `.strerror` is the words.
NUMBERED = re.compile(
    r"\b(OSError|EnvironmentError|IOError|PermissionError|FileNotFoundError|FileExistsError"
    r"|BlockingIOError|NotADirectoryError|IsADirectoryError|ConnectionError|BrokenPipeError"
    r"|ConnectionResetError|TimeoutError|InterruptedError|ChildProcessError)\b"
)

#: Where one is put into a text as it is all the same, and why no number is seen.
WHOLE = {
    "filebody._open": "of a ValueError, which has no number",
    "gateway.listener.listen": "only where it has no words of its own",
}


def numbered(module: house.Module) -> set[str]:
    """The functions that put an OSError as it is into a text."""
    found = set()
    for place, node in house.nodes(module.tree, module.name):
        if not isinstance(node, ast.ExceptHandler) or node.name is None or node.type is None:
            continue
        if not NUMBERED.search(ast.unparse(node.type)):
            continue
        for inner in ast.walk(node):
            if isinstance(inner, ast.FormattedValue):
                shown = ast.unparse(inner.value)
            elif isinstance(inner, ast.Call) and ast.unparse(inner.func) in {"str", "print"}:
                shown = ast.unparse(inner.args[0]) if inner.args else ""
            else:
                continue
            if re.fullmatch(rf"{node.name}|str\({node.name}\)", shown):
                found.add(place)
    return found


def test_no_message_begins_with_the_number_of_an_error() -> None:
    found = {place for module in MODULES for place in numbered(module)}
    assert found == set(WHOLE)


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n try: g()\n except OSError as error: print(f'no: {error}')",
        "def f():\n try: g()\n except (OSError, ValueError) as e: fail(str(e))",
        "def f():\n try: g()\n except PermissionError as e: print(e)",
    ],
)
def test_a_number_is_found(source: str) -> None:
    assert numbered(house.Module("m", source)) == {"m.f"}


def test_the_words_are_not(tmp_path: Path) -> None:
    source = "def f():\n try: g()\n except OSError as error: print(f'no: {error.strerror}')"
    assert numbered(house.Module("m", source)) == set()
