"""How often a script is run for a trace, and when other ways are left out."""

import os
import sys
from pathlib import Path

import pytest

from cgikit.tracing import measured
from cgikit.tracing.comparison import TracedRequest
from cgikit.tracing.measured import Measured, measure_all


def request(place: Path, source: str, method: str = "GET") -> TracedRequest:
    file = place / "a.py"
    note = f"open({str(place / 'runs')!r}, 'a').write('x')\n"
    file.write_text(f"#!{sys.executable}\n{note}{source}")
    file.chmod(0o755)
    variables = {"REQUEST_METHOD": method, "GATEWAY_INTERFACE": "CGI/1.1", "SCRIPT_NAME": "/a.py"}
    return TracedRequest(str(file), {"PATH": os.environ["PATH"]}, variables)


def runs(place: Path) -> int:
    return (place / "runs").stat().st_size


PRINTS = "print('Content-Type: text/plain\\n')\n"


def reasons(found: Measured) -> list[str]:
    return [way.why_not for way in found.ways]


def test_a_get_is_compared_and_the_announced_number_is_kept(tmp_path: Path) -> None:
    announced: list[int] = []
    seen: list[tuple[int, int]] = []
    found = measure_all(
        request(tmp_path, PRINTS),
        1,
        None,
        lambda more: announced.append(more + 1000 * runs(tmp_path)),
        lambda done, of: seen.append((done, of)),
    )
    assert announced == [1000 + 5 + 5 + 2]  # it had run once when it was said
    assert runs(tmp_path) == 1 + 5 + 5 + 2
    assert seen == [(1, 1), *((number, 13) for number in range(2, 14))]
    assert [(way.name, len(way.requests)) for way in found.ways] == [
        ("CGI", 5),
        ("warm", 5),
        ("persistent", 0),
    ]
    assert (len(found.traces), len(found.plain), found.cost) == (1, 5, None)
    assert all(0 < first <= total for way in found.ways for first, total in way.requests)


@pytest.mark.parametrize(
    ("source", "method", "compare", "times", "why"),
    [
        (PRINTS, "POST", None, 1, ["a POST may change something, and would be repeated; "]),
        (PRINTS, "GET", False, 1, []),
        (PRINTS, "POST", True, 13, []),
        ("raise SystemExit(1)", "GET", True, 1, ["the script failed"]),
    ],
)
def test_when_it_is_not_compared(
    tmp_path: Path, source: str, method: str, compare: bool | None, times: int, why: list[str]
) -> None:
    found = measure_all(request(tmp_path, source, method), 1, compare)
    assert runs(tmp_path) == times
    assert [reason[: len(why[0])] for reason in reasons(found)[:1] if why] == why


def test_one_that_takes_long_is_run_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured, "SLOW", 0.0)
    found = measure_all(request(tmp_path, PRINTS), 1, None)
    assert runs(tmp_path) == 1
    assert reasons(found)[0].startswith("it takes long")


def test_the_cost_of_asking_is_known_from_five_runs_on(tmp_path: Path) -> None:
    announced: list[int] = []
    found = measure_all(request(tmp_path, PRINTS), 5, None, announced.append)
    assert found.cost is not None
    assert announced == [runs(tmp_path) - 5]


@pytest.mark.parametrize(("method", "compare"), [("GET", False), ("POST", None), ("POST", False)])
def test_otherwise_a_script_runs_as_often_as_it_was_asked_to(
    tmp_path: Path, method: str, compare: bool | None
) -> None:
    """With -n 6, a POST was sent twelve times without a word."""
    found = measure_all(request(tmp_path, PRINTS, method), 6, compare)
    assert (runs(tmp_path), len(found.traces), found.cost) == (6, 6, None)


def test_one_that_fails_later_has_its_steps_all_the_same(tmp_path: Path) -> None:
    source = (
        f"import os\nif os.path.getsize({str(tmp_path / 'runs')!r}) > 1: os.chmod(__file__, 0)\n"
    )
    found = measure_all(request(tmp_path, source + PRINTS), 1, None)
    assert found.traces[0].status == 0
    assert "cannot be started: Permission denied" in reasons(found)[0]
