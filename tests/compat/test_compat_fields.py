"""compat.fields: the form as a mapping, whose fields scripts may change."""

import subprocess
import sys
from typing import Any

import pytest
from compat.made import get

from cgikit.compat import cgi, watched
from cgikit.compat.fields import EMPTY, Fields
from cgikit.compat.watched import WatchedList


def form_of(*names: str) -> Any:
    """A mapping with a field of each name; the values are numbers."""
    form = Fields()
    form.list = [cgi.MiniFieldStorage(name, str(i)) for i, name in enumerate(names)]
    return form


def test_a_name_leads_to_one_field_or_a_list() -> None:
    form = form_of("a", "b", "a")
    assert form["b"] is form.list[1]
    assert form["a"] == [form.list[0], form.list[2]]
    assert (form.getvalue("a"), form.getvalue("b"), form.getvalue("c")) == (["0", "2"], "1", None)
    assert (form.getfirst("a"), form.getlist("b"), form.getfirst("c", "x")) == ("0", ["1"], "x")
    with pytest.raises(KeyError):
        form["c"]


def test_a_list_that_was_given_out_is_not_that_of_the_index() -> None:
    form = form_of("a", "a")
    form["a"].clear()
    assert form.getlist("a") == ["0", "1"]


def test_without_fields_it_is_empty_and_false() -> None:
    form = Fields()
    assert (form.keys(), len(form), list(form), bool(form), form.value) == ([], 0, [], False, None)
    assert "a" not in form


def test_nobody_can_put_anything_into_what_all_share() -> None:
    with pytest.raises(TypeError):
        EMPTY["a"] = "b"  # type: ignore[index]
    assert dict(EMPTY) == {}


def test_iterating_over_many_fields_was_quadratic() -> None:
    class Counted:
        read = 0

        def __init__(self, name: str) -> None:
            self._name = name

        @property
        def name(self) -> str:
            Counted.read += 1
            return self._name

    form = get("")
    form.list = [Counted(f"n{i}") for i in range(4_000)]
    assert len([form[key] for key in form]) == 4_000
    assert Counted.read <= 3 * 4_000


def test_looking_up_each_of_many_fields_was_quadratic(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look-up compared the whole list: 0.6 s for 10,000 fields."""
    passes: list[str] = []

    class Counted(WatchedList):
        """Counts what goes through the whole list."""

    for name in ("__iter__", "__eq__", "__ne__", "copy", "index", "count", "__contains__"):
        of_list = getattr(list, name)

        def passing(self: Any, *args: Any, name: str = name, of_list: Any = of_list) -> Any:
            passes.append(name)
            return of_list(self, *args)

        monkeypatch.setattr(Counted, name, passing, raising=False)
    monkeypatch.setattr(watched, "WatchedList", Counted)
    form = get("&".join(f"n{i}={i}" for i in range(10_000)))
    assert isinstance(form.list, Counted)
    found = [form[f"n{i}"].value for i in range(10_000)]
    assert found == [str(i) for i in range(10_000)]
    assert len(passes) <= 3, "one pass makes the index"


@pytest.mark.parametrize("count", [3, 500])
def test_every_change_of_the_list_is_seen(count: int) -> None:
    form = get("&".join(f"n{i}={i}" for i in range(count)))
    extra = cgi.MiniFieldStorage("extra", "1")
    last = form.list[-1]

    def replace() -> None:
        form.list[0] = extra

    def delete() -> None:
        del form.list[0]

    def add() -> None:
        form.list += [extra]

    def repeat() -> None:
        form.list *= 2

    changes = [
        (lambda: form.list.append(extra), "extra", 1),
        (lambda: form.list.extend([extra]), "extra", 2),
        (lambda: form.list.insert(1, extra), "extra", 3),
        (add, "extra", 4),
        (lambda: form.list.remove(extra), "extra", 3),
        (form.list.pop, "extra", 2),
        (replace, "n0", 0),
        (delete, "extra", 2),
        (repeat, "extra", 4),
        (lambda: form.list.sort(key=lambda item: item.name), "extra", 4),
        (form.list.reverse, last.name, 2),
        (lambda: form.list.clear(), "extra", 0),
    ]
    assert len(form.getlist("extra")) == 0
    for change, name, left in changes:
        change()
        assert len(form.getlist(name)) == left, change


def test_fields_that_are_added_or_replaced_later_are_found() -> None:
    form = get("a=1&b=2")
    assert form.getvalue("a") == "1"
    form.list.append(cgi.MiniFieldStorage("c", "3"))
    assert form.getvalue("c") == "3"
    form.list[0] = cgi.MiniFieldStorage("d", "4")
    assert (form.getvalue("d"), "a" in form) == ("4", False)
    form.list = [cgi.MiniFieldStorage("e", "5")]
    assert form.keys() == ["e"]
    assert form.getvalue("e") == "5"


def test_keys_came_in_a_random_order() -> None:
    assert get("&".join(f"n{i}=1" for i in range(50))).keys() == [f"n{i}" for i in range(50)]


@pytest.mark.parametrize("used", ["urllib.parse.quote('a b')", "email.parser.Parser.__name__"])
def test_a_bare_import_of_a_package_is_enough_as_it_was(used: str) -> None:
    """The old module had imported `urllib.parse` and `email.parser`, and scripts relied on it."""
    package = used.partition(".")[0]
    first, then = "from cgikit.compat import cgi", "cgi.FieldStorage(environ={})"
    source = "\n".join((first, f"import {package}", then, f"print({used})"))
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
