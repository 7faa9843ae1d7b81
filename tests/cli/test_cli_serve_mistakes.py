"""The classic mistakes under `cgikit serve`: a page or the console names each, with line and fix."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from serving import Server, serve

PYTHON = f"#!{sys.executable}\n"
HEAD = 'print("Content-Type: text/html; charset=utf-8\\n", flush=True)\n'
LOOP = "n = 0\nwhile True:\n    n += 1\n"

#: The source; what the page says; what the console says, in order.
MISTAKES = {
    "no-blank-line": (
        PYTHON + 'print("Content-Type: text/html")\nprint("<p>Hi")\n',
        ["There is no blank line after the headers", "line 2: &lt;p&gt;Hi", "empty line between"],
        ["There is no blank line"],
    ),
    "no-x-bit": (
        PYTHON + HEAD,
        ["no-x-bit is not executable", "chmod [+]x /.*/no-x-bit"],
        ["is not executable"],
    ),
    "crlf": (
        "#!/usr/bin/env python3\r\n" + HEAD,
        ["has Windows line ends", "sed -i"],
        ["has Windows line ends"],
    ),
    "wrong-shebang": (
        "#!/usr/bin/pyton3\n" + HEAD,
        ["/usr/bin/pyton3 does not exist", "first line"],
        ["does not exist"],
    ),
    "syntax-error": (
        PYTHON + HEAD + 'print("x"\n',
        ["names line 3", "Correct line 3 of syntax-error.<"],
        ["was never closed", "Correct line 3 of syntax-error."],
    ),
    "endless-loop": (
        PYTHON + LOOP,
        ["was ended. It was in line [34]", "a loop that does not end, or .* in line [34]"],
        ["KeyboardInterrupt", "It was in line [34]"],
    ),
    "endless-loop-in-the-answer": (
        PYTHON + HEAD + LOOP,
        ["was stopped after 2 seconds .idle time limit.. It was in line [45]"],
        ["KeyboardInterrupt", "It was in line [45]"],
    ),
    "print-before-the-header": (
        PYTHON + 'print("Hello")\n' + HEAD,
        ["does not begin with headers", "line 1: Hello", "Before anything else"],
        ["does not begin with headers"],
    ),
    "crash-before-the-header": (
        PYTHON + "1 / 0\n",
        ["exited with status 1 and printed nothing", "names line 2", "Correct line 2"],
        ["ZeroDivisionError", "Correct line 2"],
    ),
    "crash-after-the-header": (
        PYTHON + HEAD + "1 / 0\n",
        ["exited with status 1", "Correct line 3 of crash-after-the-header"],
        ["ZeroDivisionError", "Correct line 3"],
    ),
    "racing-counter": (
        PYTHON + HEAD + "n = open('n').read()\nopen('n', 'w').write(n + 'x')\n",
        [""],
        ["racing-counter, line 4 writes 'n'.*one change is lost.*Counter"],
    ),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("mistakes")
    (root / "n").touch()
    for name, (source, _, _) in MISTAKES.items():
        (root / name).write_bytes(source.encode())
        (root / name).chmod(0o644 if name == "no-x-bit" else 0o755)
    with serve(root, "--timeout", "2") as server:
        yield server


def page(url: str) -> str:
    """The answer, as far as it comes, whatever its status."""
    text = b""
    try:
        with urlopen(url) as answer:
            while piece := answer.read1():
                text += piece
    except HTTPError as error:
        with error:
            text = error.read()
    except OSError:  # cut, so that nobody takes it for the whole
        pass
    return text.decode()


@pytest.mark.parametrize("name", MISTAKES)
def test_each_mistake_is_named_with_its_line_and_its_fix(server: Server, name: str) -> None:
    _, shown, logged = MISTAKES[name]
    seen = len(server.lines)
    text = page(f"{server.url}{name}")
    for part in shown:
        assert re.search(part, text), (part, text)
    for part in logged:
        server.wait_for(rf"^/{name}: .*{part}", seen)


def test_a_script_that_works_is_looked_at_once_and_again_when_it_has_changed(
    tmp_path: Path,
) -> None:
    source, _, (advice,) = MISTAKES["racing-counter"]
    (tmp_path / "n").touch()
    file = tmp_path / "racing-counter"
    file.write_text(source)
    file.chmod(0o755)
    with serve(tmp_path) as server:
        for _ in range(3):
            page(f"{server.url}racing-counter")
        server.wait_for(advice)
        page(f"{server.url}racing-counter")
        file.write_text(source.replace(HEAD, f"{HEAD}\n"))
        page(f"{server.url}racing-counter")
        server.wait_for("line 5 writes")
        assert sum("one change is lost" in line for line in server.lines) == 2
