"""New standard streams over the same descriptors."""

import subprocess
import sys

CODE = """
import sys
from cgikit.warm.streams import Streams
def form(stream):
    return (stream.encoding, stream.errors, stream.line_buffering, stream.name, stream.mode,
            stream.buffer.name, stream.buffer.raw.name, type(stream.buffer).__name__)
before = [form(getattr(sys, name)) for name in ("stdin", "stdout", "stderr")]
streams = Streams()
first = sys.stdin.readline()
streams.renew()
after = [form(getattr(sys, name)) for name in ("stdin", "stdout", "stderr")]
assert before == after, (before, after)
assert sys.stdin is sys.__stdin__ and sys.stdout is sys.__stdout__ and sys.stderr is sys.__stderr__
print(repr(first), repr(sys.stdin.read()))
"""


def test_they_are_like_those_of_the_start_and_know_nothing_of_what_was_read() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        input="one\ntwo\n",
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == "'one\\n' ''\n", done.stderr
