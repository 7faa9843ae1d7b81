"""A handler that nobody calls: the page of a silent script says so by its name."""

import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from serving import DEADLINE, serve

from cgikit.forgotten import advice, forgotten_handler

HELLO = "def hello(request):\n    return '<p>Hello'\n"
OTHER = "def page(visit):\n    return '<p>Hello'\n"
RUN = "from cgikit import run\n"


@pytest.mark.parametrize(
    ("source", "name", "line"),
    [
        (RUN + HELLO, "hello", "run(hello)"),
        (HELLO, "hello", "from cgikit import run; run(hello)"),
        ("from cgikit import escape\n" + HELLO, "hello", "from cgikit import run; run(hello)"),
        (RUN + OTHER, "page", "run(page)"),
        (RUN + "def f(a, b): pass\n" + HELLO, "hello", "run(hello)"),
        (RUN + HELLO + "def other(request, more=1): pass\n", "other", "run(other)"),
        (RUN + HELLO + "if __name__ == '__main__':\n    pass\n", "hello", "run(hello)"),
    ],
)
def test_the_handler_is_found(tmp_path: Path, source: str, name: str, line: str) -> None:
    (tmp_path / "x.py").write_text(source)
    assert forgotten_handler(str(tmp_path / "x.py")) == (name, line)


@pytest.mark.parametrize(
    "source",
    [
        RUN + HELLO + "run(hello)\n",
        "import cgikit\n" + HELLO + "cgikit.run(hello)\n",
        "from cgikit import WSGI\n" + HELLO + "application = WSGI(hello)\n",
        RUN + HELLO + "if __name__ == '__main__':\n    run(hello)\n",
        OTHER,
        RUN + "def hello(): pass\n",
        RUN + "def hello(a, b): pass\n",
        RUN + "def hello(a, *, b): pass\n",
        RUN + "def _escape(text): pass\n",
        "",
        "print(",
        "\0",
        "echo hello",
    ],
)
def test_nothing_is_said_of_others(tmp_path: Path, source: str) -> None:
    (tmp_path / "x.py").write_text(source)
    assert advice(str(tmp_path / "x.py")) == ("", "")
    assert advice(str(tmp_path / "nowhere.py")) == ("", "")


@pytest.mark.parametrize("options", [(), ("--warm",)])
def test_cgikit_serve_says_so(tmp_path: Path, options: tuple[str, ...]) -> None:
    """It said that the script printed nothing, and to print headers."""
    script = tmp_path / "hello.py"
    script.write_text(f"#!{sys.executable}\n{RUN}{HELLO}")
    script.chmod(0o755)
    with serve(tmp_path, *options) as server:
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{server.url}hello.py", timeout=DEADLINE)
        page = caught.value.read().decode()
    assert "it defines hello, and does not call run(hello)." in page
    assert "Add a last line to hello.py: run(hello)" in page
