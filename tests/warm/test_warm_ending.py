"""What the end of a script means for its answer: each way to end is one line of the log."""

from pathlib import Path

import pytest
from gatewayserving import HEAD, Gateway

from cgikit.warm.ending import breach, complaint, how, silence
from cgikit.warm.header import Header

#: Ways to end, and all that the log says of each.
ENDS = {
    "well": (f"{HEAD}print(1)", []),
    "a status": (f"{HEAD}raise SystemExit(3)", ["exited with status 3"]),
    "killed, mute": (
        "import os\nos.kill(os.getpid(), 9)",
        ["killed-mute.py was killed by signal 9 (SIGKILL) and printed nothing."],
    ),
    "killed in mid-answer": (
        f"{HEAD}import os\nos.kill(os.getpid(), 9)",
        ["The script was killed by signal 9 in mid-answer."],
    ),
    "a header cut off": (
        "import os\nos.write(1, b'Content-Type: text/plain\\n')\nos._exit(4)",
        [
            (
                "The script exited with status 4. The output ends before the blank line after the "
                'headers. Print an empty line after the last header, for example print(""). '
                "(Content-Type: text/plain)"
            )
        ],
    ),
    "too short": (
        "print('Content-Type: text/plain\\nContent-Length: 9\\n\\nshort', end='')",
        ["The script announced 9 bytes and sent 5. Let Content-Length be the length of the body."],
    ),
    "too short, with a status": (
        "print('Content-Type: text/plain\\nContent-Length: 9\\n\\nshort', end='')\nraise SystemExit(3)",
        [
            (
                "The script exited with status 3: it announced 9 bytes and sent 5. Let "
                "Content-Length be the length of the body."
            )
        ],
    ),
    "too long": (
        "print('Content-Type: text/plain\\nContent-Length: 3\\n\\nlonger', end='')",
        ["announced 3 bytes and sent 6: the rest is dropped"],
    ),
    "too long, later": (
        (
            "import os, time\nos.write(1, b'Content-Type: text/plain\\nContent-Length: 3\\n\\nabc')\n"
            "while not os.path.exists('go-on'): time.sleep(0.01)\n"
            "os.write(1, b'defg')\nraise SystemExit(5)"
        ),
        ["exited with status 5 and announced 3 bytes and sent 7: the rest is dropped"],
    ),
}


@pytest.mark.parametrize("way", ENDS)
def test_one_problem_is_one_line_of_the_log(warm: Gateway, way: str) -> None:
    source, lines = ENDS[way]
    seen = len(warm.lines)
    (warm.root / "go-on").unlink(missing_ok=True)
    path = warm.script(f"{way.replace(', ', '-').replace(' ', '-')}.py", source)
    warm.request(path)
    (warm.root / "go-on").touch()
    assert warm.said(path, seen) == lines


def header(block: bytes, *, head: bool = False) -> Header:
    found = Header({}, nph=False, head=head)
    assert found.feed(block) is not None
    return found


def test_nothing_is_beyond_the_length_where_no_body_is_sent() -> None:
    block = b"Content-Type: text/plain\nContent-Length: 3\n\nlonger"
    assert complaint(header(block, head=True), 0) == ""
    assert complaint(header(block), 0) == "announced 3 bytes and sent 6: the rest is dropped"


def test_without_a_header_there_is_only_the_way_it_ended(tmp_path: Path) -> None:
    assert (how(0), how(1), how(-9)) == ("", "exited with status 1", "was killed by signal 9")
    assert (breach(None, -9), complaint(None, -9)) == (None, "was killed by signal 9")
    assert silence(None, str(tmp_path / "a.py"), 3, "").what == (
        "a.py exited with status 3 and printed nothing."
    )
