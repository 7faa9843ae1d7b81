"""Each leaky script of the corpus leaks: a loop that takes care of nothing gives the second visitor
what the first one sent.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from migrate.answers import Request
from reuse.cases import BENIGN, BESIDE, CASES, CORPUS, HARMLESS, INSTALLED, LEAKS, LEAKY, Case
from serving import DEADLINE

NAIVE = Path(__file__).with_name("naive.py")


def naive(case: Case, asked: list[Request], place: Path) -> list[bytes]:
    """What the naive loop answers to one request after the other."""
    script = case.put(place / "site")
    jobs = []
    for number, request in enumerate(asked):
        body = place / f"{number}.in"
        body.write_bytes(request.body)
        files = {"stdin": str(body), "stdout": str(place / f"{number}.out")}
        jobs.append(json.dumps({"environ": request.environ, **files}))
    done = subprocess.run(
        [sys.executable, NAIVE, script],
        input="\n".join(jobs).encode(),
        cwd=place / "site",
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(case.installed), *sys.path])},
        capture_output=True,
        timeout=DEADLINE,
    )
    answers = [(place / f"{number}.out").read_bytes() for number in range(len(asked))]
    assert done.returncode == 0, (done, answers)
    assert all(b"Content-Type: " in answer for answer in answers), (done, answers)
    return answers


@pytest.mark.parametrize("case", LEAKS, ids=lambda case: case.name)
def test_a_process_that_is_used_again_shows_what_another_visitor_sent(
    case: Case, tmp_path: Path
) -> None:
    alone = naive(case, [case.second], tmp_path / "alone")
    after = naive(case, [case.first, case.second], tmp_path / "after")
    assert case.never not in alone[0]
    assert case.never in after[1], after


@pytest.mark.parametrize("case", HARMLESS, ids=lambda case: case.name)
def test_a_benign_script_answers_the_second_visitor_as_if_there_were_no_first(
    case: Case, tmp_path: Path
) -> None:
    alone = naive(case, [case.second], tmp_path / "alone")
    after = naive(case, [case.first, case.second], tmp_path / "after")
    assert after[1] == alone[0]


def test_the_corpus_has_enough_of_each_kind() -> None:
    counts = {kind: sum(case.kind == kind for case in LEAKS) for kind in LEAKY}
    assert {kind: count for kind, count in counts.items() if count < LEAKY[kind]} == {}
    assert len(LEAKS) == sum(counts.values()) >= 60
    assert len(HARMLESS) >= 15


def test_nothing_in_the_corpus_is_overlooked() -> None:
    paths = [path for path in CORPUS.rglob("*") if path.is_file()]
    scripts = {case.path for case in CASES}
    places = [case.path.with_suffix(suffix) for case in CASES for suffix in (BESIDE, INSTALLED)]
    strange = [
        path for path in paths if path not in scripts and not any(map(path.is_relative_to, places))
    ]
    assert strange == []
    assert {case.kind for case in CASES} == {*LEAKY, BENIGN}
