"""What is seen of a change in objects that were there before."""

import subprocess
import sys

import pytest

PREPARED = """
import gc, abc, collections, numbers, random, types
class Plain: pass
class Slotted:
    __slots__ = ("a", "b")
plain, slotted = Plain(), Slotted()
plain.a = slotted.a = 1
flat, table, row, group = {}, {"a": "b"}, ["x"], {1}
neighbour = []
cell = (lambda kept: (lambda: kept, lambda new: kept.append(new)))([])
def function(given=(1,)): return given
view = bytearray(b"abc")
ordered = collections.OrderedDict(a=1, b=2)
steps = iter([1, 2, 3])
flag = True
boxes = {"a": bytearray(b"abc")}
view_of = memoryview(b"abc")
error = LookupError("x")
class Hiding(dict):
    def __iter__(self): return iter(("always",))
hiding = Hiding(a=True)
mixed = {1: "x", "a": "y"}
other, same = [], types.SimpleNamespace(one=[], two={}, three={})
class Chance(random.Random):
    def getstate(self): return ()
chance = Chance(1)
from cgikit.warm.baseline import Baseline
baseline = Baseline((globals(),))
"""


def changed(change: str) -> str:
    """What a baseline says after a change; "" for nothing."""
    code = (
        f"{PREPARED}\n{change}\nprint(baseline.has_changed() and baseline.changed() or '')"
        "\nassert not baseline.has_changed() or baseline.changed()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert not done.stderr, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    "change",
    [
        "flat['secret'] = 'text'",
        "table['c'] = table.pop('a')",  # the same value under another name
        "table['a'] = 'c'",
        "row.append('y')",
        "row[0] = 'z'",
        "neighbour.append(row.pop())",
        "boxes['a'].append(100)",
        "view_of.release()",
        "error.__suppress_context__ = True",
        "function.__code__ = (lambda given: 2).__code__",  # an equal one is heard of: surroundings
        "len.__module__ = 'secret'",
        "hiding['secret'] = hiding.pop('a')",
        "chance.seed(7731)",
        "mixed['b'] = mixed.pop('a')",
        "mixed.pop(1), mixed.pop('a'); mixed.update(b='x', a='y')",
        "same.one = other",  # equal, and others hold it as well
        "same.two = same.three",
        "numbers.Integral._abc_registry_clear()",
        "group.add(2)",
        "plain.b = None",
        "plain.b = plain.a; del plain.a",
        "slotted.b = 2",
        "slotted.a = True",  # equal to 1
        "Plain.shared = 1",
        "cell[1]('kept')",
        "function.__defaults__ = (2,)",
        "function.__defaults__ = (True,)",
        "function.__kwdefaults__ = {'a': 1}",
        "function.note = 1",
        "view[0] = 0",
        "ordered.move_to_end('a')",
        "next(steps)",
        "collections.OrderedDict.left = 1" if sys.version_info < (3, 0) else "collections.left = 1",
        "gc.left = 1",
    ],
)
def test_a_change_is_seen(change: str) -> None:
    assert changed(change)


@pytest.mark.parametrize("change", ["", "row.append(1); row.pop()", "len(table)"])
def test_what_is_as_before_is_no_change(change: str) -> None:
    assert changed(change) == ""


def test_what_has_changed_is_named_from_its_module_down() -> None:
    before = "import email.charset\n"
    code = f"{before}{PREPARED}\nemail.charset.ALIASES['x'] = 'y'\nprint(baseline.changed())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "email.charset.ALIASES\n", done.stderr


def test_objects_that_were_made_since_and_are_left_are_found() -> None:
    code = f"""{PREPARED}
gc.collect()
one, before = [], len(baseline.new())
two = [one]
print(len(baseline.new()) - before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert int(done.stdout) >= 1, done.stderr
