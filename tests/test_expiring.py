"""expiring: counters that end, whatever the clock does, and of which no count is lost before."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from child import environment, write_script
from hypothesis import given
from hypothesis import strategies as st
from nobody import NOBODY, forked_as_nobody
from properties import any_texts
from torture import size

from cgikit import ExpiringCounters, LockTimeout, StorageError, lock
from cgikit.expiringfile import build, kept, parse

#: An empty file of this version, cleared when a `Clock` starts.
NEW = build({}, b"k" * 32, 1_000_000_000)


class Clock:
    """A clock that is put by hand."""

    def __init__(self, now: float = 1_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "guesses"


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_count_ends_and_begins_anew(path: Path, clock: Clock) -> None:
    guess = ExpiringCounters(path, 60, clock=clock)["192.0.2.7"]
    assert (guess.value, guess.left) == (0, 0)
    assert [guess.increment(), guess.increment(by=2), guess.value, guess.left] == [1, 3, 3, 60]
    clock.now += 59.5
    assert [guess.increment(), guess.left] == [4, 1]  # later ones do not put the end off
    clock.now += 0.5
    assert (guess.value, guess.left) == (0, 0)
    assert [guess.increment(), guess.left] == [1, 60]


def test_names_count_by_themselves(path: Path, clock: Clock) -> None:
    counters = ExpiringCounters(path, 60, clock=clock)
    assert (counters.all(), list(counters), len(counters), bool(counters)) == ({}, [], 0, True)
    counters["b"].increment()
    clock.now += 30
    counters["a"].increment(5)
    assert counters.all() == {"b": 1, "a": 5}
    assert ("a" in counters, "c" in counters, 1 in counters) == (True, False, False)
    clock.now += 30
    assert (list(counters), len(counters), counters.all()) == (["a"], 1, {"a": 5})
    del counters["a"]
    assert counters.all() == {}
    for name in ("a", "b"):
        with pytest.raises(KeyError):
            del counters[name]


def test_what_has_ended_leaves_the_file(path: Path, clock: Clock) -> None:
    counters = ExpiringCounters(path, 60, clock=clock)
    for number in range(50):
        counters[f"{number}"].increment()
    large = path.stat().st_size
    clock.now += 60
    counters["new"].increment()
    assert b"".join(path.read_bytes().split(b"\n")[1:]) == b"0001000120000 0000000001 new"
    assert path.stat().st_size < large


def test_a_file_of_version_1_is_read_and_replaced(path: Path, clock: Clock) -> None:
    long = "x" * 110
    path.write_bytes(
        b"cgikit-expiring 1\n0001000060000 0000000007 gr\\xf6\\xdfe\\n\\\\\n"
        b"0001000000000 0000000003 ended\n0001000050000 0000000002 %b\n" % long.encode()
    )
    counters = ExpiringCounters(path, 60, clock=clock)
    size = path.stat().st_size
    assert counters.all() == {"größe\n\\": 7, kept(long): 2}
    assert (counters["größe\n\\"].value, counters[long].left) == (7, 50)
    assert path.stat().st_size == size
    assert (counters[long].increment(), counters["größe\n\\"].increment()) == (3, 8)
    assert path.read_bytes().startswith(b"cgikit-expiring 2 ")


def test_a_clock_that_was_ahead_locks_out_nobody_for_long(path: Path, clock: Clock) -> None:
    guess = ExpiringCounters(path, 60, clock=clock)["a"]
    clock.now += 10 * 365 * 86_400
    assert guess.increment() == 1
    clock.now -= 10 * 365 * 86_400
    assert (guess.value, guess.left) == (1, 60)
    assert guess.increment() == 2
    clock.now += 60
    assert guess.value == 0


def test_a_flood_of_names_makes_no_count_smaller(path: Path, clock: Clock) -> None:
    """A visitor with many addresses must not get a count forgotten by that."""
    counters = ExpiringCounters(path, 60, most=10, clock=clock)
    for _ in range(5):
        counters["192.0.2.7"].increment()
    for number in range(100):
        clock.now += 0.001
        counters[f"2001:db8::{number}"].increment()
    assert len(counters) == 10
    assert counters["192.0.2.7"].increment() >= 6


def test_two_names_in_turn_are_counted_where_the_table_is_full(path: Path, clock: Clock) -> None:
    """They drove out each other, so that each guess was the first."""
    counters = ExpiringCounters(path, 60, most=10, clock=clock)
    for _ in range(2):
        for number in range(10):
            counters[f"2001:db8::{number}"].increment()
    for guess in range(1, 16):
        assert counters["ada"].increment() >= guess
        assert counters["bob"].increment() >= guess


@given(st.lists(st.sampled_from("abcdefgh"), max_size=60), st.integers(1, 4))
def test_nobody_is_counted_less_often_than_they_came(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], most: int
) -> None:
    path = tmp_path_factory.mktemp("counts") / "n"
    counters = ExpiringCounters(path, 20, most=most, clock=Clock())
    for number, name in enumerate(names, 1):
        assert counters[name].increment() >= names[:number].count(name)
        assert len(counters) <= most


def test_counting_stops_where_the_digits_end(path: Path, clock: Clock) -> None:
    guess = ExpiringCounters(path, 60, clock=clock)["a"]
    assert guess.increment(10**50) == 9_999_999_999
    assert guess.increment() == guess.value == 9_999_999_999


@pytest.mark.parametrize("name", ["x" * 201, "x" * 100_000, "\udc80" * 300])
def test_long_names_take_little_room_and_count_apart(path: Path, clock: Clock, name: str) -> None:
    counters = ExpiringCounters(path, 60, clock=clock)
    assert [counters[name].increment(), counters[name].increment()] == [1, 2]
    assert counters[f"{name}y"].increment() == 1
    assert name in counters
    assert path.stat().st_size == 8_192


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), 1e10])
def test_an_end_that_cannot_be(path: Path, seconds: float) -> None:
    with pytest.raises(ValueError, match="give more than 0"):
        ExpiringCounters(path, seconds)


def test_misuse_says_so(path: Path) -> None:
    counters = ExpiringCounters(path, 1)
    with pytest.raises(ValueError, match="1 or more"):
        ExpiringCounters(path, 1, most=0)
    with pytest.raises(TypeError, match="the name of a counter must be a str, not int"):
        counters[1]  # type: ignore[index]
    with pytest.raises(TypeError, match="takes an int, not float"):
        counters["a"].increment(0.5)  # type: ignore[arg-type]
    for by in (0, -1):
        with pytest.raises(ValueError, match="give 1 or more"):
            counters["a"].increment(by)
    assert not path.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"1\n",
        b'{"a": 1}\n',
        b"cgikit-expiring 2\n",
        b"cgikit-expiring 3 " + b"a" * 32 + b" 0001000000000\n".ljust(8_142, b"\n"),
        NEW[:-1],
        NEW[:4_096],
        NEW + b"\n",
        NEW[:4_096] + b"0001000060000 000000000x a\n".ljust(4_096, b"\n"),
        b"cgikit-expiring 1",
        b"cgikit-expiring 1\n1\n",
        b"cgikit-expiring 1\n0001000060000 0000000007\n",
        b"cgikit-expiring 1\n0001000060000 000000000x a\n",
        b"cgikit-expiring 1\n0001000060000_0000000007 a\n",
        b"cgikit-expiring 1\n0001000060000 0000000007 \\x\n",
        b"cgikit-expiring 1\n0001000060000 0000000007 \xff\n",
        b"cgikit-expiring 1\n0001000060000 0000000007 torn",
    ],
)
def test_a_file_of_another_kind_is_never_overwritten(
    path: Path, clock: Clock, content: bytes
) -> None:
    path.write_bytes(content)
    counters = ExpiringCounters(path, 60, clock=clock)
    for action in (counters.all, counters["a"].increment, lambda: counters.__delitem__("a")):
        with pytest.raises(StorageError, match="use another path, or move it away"):
            action()
    assert path.read_bytes() == content


def test_a_block_in_which_something_else_is_written_is_not_overwritten(
    path: Path, clock: Clock
) -> None:
    content = NEW[:4_096] + b"\n\n0001000060000 0000000001 a\n".ljust(4_096, b"\n")
    path.write_bytes(content)
    counters = ExpiringCounters(path, 60, clock=clock)
    for action in (counters.all, counters["a"].increment):
        with pytest.raises(StorageError, match="use another path, or move it away"):
            action()
    with pytest.raises(KeyError):
        del counters["a"]
    assert path.read_bytes() == content


def test_a_counter_is_changed_in_place_until_the_file_is_cleared(path: Path, clock: Clock) -> None:
    counters = ExpiringCounters(path, 60, clock=clock)
    counters["a"].increment()
    first = path.stat().st_ino
    clock.now += 30
    assert (counters["b"].increment(), counters["a"].increment(), path.stat().st_ino) == (
        1,
        2,
        first,
    )
    del counters["b"]
    assert (counters.all(), path.stat().st_ino) == ({"a": 2}, first)
    clock.now += 30
    assert counters["c"].increment() == 1
    assert path.stat().st_ino != first
    assert b" a\n" not in path.read_bytes()


def test_a_slot_that_has_expired_is_used_again(path: Path, clock: Clock) -> None:
    ExpiringCounters(path, 20, most=2, clock=clock)["a"].increment()
    counters = ExpiringCounters(path, 60, most=2, clock=clock)  # which clears it every minute
    clock.now += 20
    counters["b"].increment(5)
    assert counters["a"].value == 0
    assert counters["c"].increment() == 1  # it takes the place of a
    assert counters.all() == {"b": 5, "c": 1}
    assert counters["d"].increment() == 2
    assert counters.all() == {"b": 5, "d": 2}


def test_a_file_with_a_second_name_is_replaced(path: Path, clock: Clock) -> None:
    counters = ExpiringCounters(path, 60, clock=clock)
    counters["a"].increment()
    other = path.with_name("other")
    other.hardlink_to(path)
    before = other.read_bytes()
    assert (counters["a"].value, counters["a"].increment()) == (1, 2)
    assert other.read_bytes() == before


def test_a_file_that_cannot_be_written_to_is_replaced(path: Path, clock: Clock) -> None:
    counters = ExpiringCounters(path, 60, clock=clock)
    counters["a"].increment()
    path.chmod(0o444)
    if os.geteuid():
        assert counters["a"].increment() == 2
    else:  # whom no mode keeps from writing
        for each in (path.parent, path, Path(f"{path}.lock")):
            os.chown(each, NOBODY, NOBODY)
        code = "assert ExpiringCounters('guesses', 60, clock=clock)['a'].increment() == 2"
        names = {"ExpiringCounters": ExpiringCounters, "clock": clock}
        assert forked_as_nobody(path.parent, code, names) == "done"
    assert (path.stat().st_mode & 0o777, counters["a"].value) == (0o444, 2)


def test_the_file_grows_with_the_names_and_shrinks(path: Path, clock: Clock) -> None:
    counters = ExpiringCounters(path, 60, clock=clock)
    sizes = []
    for number in range(600):
        counters[f"192.0.2.{number}"].increment()
        sizes.append(path.stat().st_size)
    assert sizes[0] == 8_192 < sizes[-1] < 600 * 1_024
    assert counters.all() == {f"192.0.2.{number}": 1 for number in range(600)}
    for number in range(600):
        assert counters[f"192.0.2.{number}"].increment() == 2
    clock.now += 60
    counters["new"].increment()
    assert path.stat().st_size == 8_192


def test_a_flood_over_many_blocks_makes_no_count_smaller(path: Path, clock: Clock) -> None:
    counters = ExpiringCounters(path, 60, most=64, clock=clock)
    counted = {f"192.0.2.{number}": 0 for number in range(60)}
    for turn in range(4):
        for number in range(300):
            counters[f"2001:db8::{turn}:{number}"].increment()
        for name in counted:
            counted[name] += 1
            assert counters[name].increment() >= counted[name]
        clock.now += 0.3  # it is cleared meanwhile, too
    assert len(counters) <= 128


def test_others_wait(path: Path) -> None:
    counters = ExpiringCounters(path, 60, timeout=0)
    with lock(path):
        with pytest.raises(LockTimeout):
            counters["a"].increment()
        assert counters["a"].value == 0  # reading needs no lock
    assert counters["a"].increment() == 1


@given(
    st.dictionaries(any_texts, st.tuples(st.integers(0, 10**13 - 1), st.integers(0, 10**10 - 1)))
)
def test_what_is_built_is_parsed_again(table: dict[str, tuple[int, int]]) -> None:
    table = {kept(name): pair for name, pair in table.items()}
    assert parse("x", build(table, b"k" * 32)) == table


@given(
    st.binary(max_size=200) | st.binary(max_size=60).map(lambda raw: b"cgikit-expiring 1\n" + raw)
)
def test_any_content_is_a_table_or_a_storage_error(raw: bytes) -> None:
    try:
        table = parse("x", raw)
    except StorageError:
        return
    assert parse("x", build(table, b"k" * 32)) == table


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from("+++d"), st.floats(0, 15)), max_size=40
    )
)
def test_it_does_what_a_table_with_ends_does(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str, float]]
) -> None:
    clock = Clock()
    counters = ExpiringCounters(tmp_path_factory.mktemp("counts") / "n", 20, clock=clock)
    model: dict[str, list[int]] = {}
    for name, action, later in steps:
        clock.now += later
        now = int(clock.now * 1_000)
        model = {each: pair for each, pair in model.items() if pair[0] > now}
        if action == "+":
            pair = model.setdefault(name, [now + 20_000, 0])
            pair[1] += 1
            assert counters[name].increment() == pair[1]
        elif name in model:
            del model[name]
            del counters[name]
        assert counters.all() == {each: count for each, (_, count) in model.items()}


COUNTING = """
import sys
from cgikit import ExpiringCounters
guess = ExpiringCounters("guesses", 1e8, timeout=60)["a"]
for _ in range(int(sys.argv[1])):
    sys.stdout.write(f"{guess.increment()}\\n")
    sys.stdout.flush()
"""


def test_r_nothing_is_lost_among_many_processes(path: Path) -> None:
    script = write_script(path.parent, COUNTING)
    processes = [
        subprocess.Popen(
            [sys.executable, str(script), "40"],
            cwd=path.parent,
            stdout=subprocess.PIPE,
            env=environment(),
        )
        for _ in range(5)
    ]
    counts = [int(line) for process in processes for line in process.communicate()[0].split()]
    assert sorted(counts) == list(range(1, 201))


def test_r_no_acknowledged_count_is_lost_by_a_kill(path: Path) -> None:
    script = write_script(path.parent, COUNTING)
    guess = ExpiringCounters(path, 1e8, timeout=60)["a"]
    chance, before = random.Random(9), 0
    for _ in range(size("kills") // 300):
        with subprocess.Popen(
            [sys.executable, str(script), "1000000"],
            cwd=path.parent,
            stdout=subprocess.PIPE,
            env=environment(),
        ) as process:
            assert process.stdout is not None
            for _ in range(chance.randrange(1, 60)):
                told = int(process.stdout.readline())
            process.send_signal(signal.SIGKILL)
            for line in process.stdout.read().split(b"\n")[:-1]:
                told = int(line)
        now = guess.increment()  # no lock is stuck
        assert told < now <= told + 2
        assert before < now
        before = now
    assert sorted(set(os.listdir(path.parent)) - {"script.py"}) == ["guesses", "guesses.lock"]
