"""`cgikit.accelerate.ledger`: what a daemon writes down."""

from pathlib import Path

from cgikit.accelerate import ledger
from cgikit.accelerate.ledger import Ledger


def test_counts_add_up_over_the_lives_of_daemons(tmp_path: Path) -> None:
    for _ in range(2):
        one = Ledger(str(tmp_path))
        one.warm += 2
        one.refused += 1
        assert one.has_news()
        one.write_counts()
        assert not one.has_news()
        one.warm += 1
        assert one.served == 3
        one.write_counts()
    assert (tmp_path / "counts").read_text() == "warm 6\nrefused 2\n"


def test_counts_that_are_none_are_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "counts").write_text(f"warm x\nrefused {10**13}\n")
    one = Ledger(str(tmp_path))
    one.warm += 1
    one.write_counts()
    assert (tmp_path / "counts").read_text() == "warm 1\nrefused 0\n"


def test_libraries_are_learnt_once_and_bad_ones_never_again(tmp_path: Path) -> None:
    one = Ledger(str(tmp_path))
    assert one.learn(["json", "bad"])
    assert not one.learn(["json"])
    one.unlearn({"bad": "it cannot be found"})
    again = Ledger(str(tmp_path))
    assert list(again.learnt) == ["json"]
    assert again.bad == {"bad": "it cannot be found"}
    assert not again.learn(["json", "bad"])
    assert again.learn(["re"])


def test_what_cannot_be_written_is_logged(tmp_path: Path) -> None:
    one = Ledger(str(tmp_path))
    (tmp_path / "counts").mkdir()
    one.warm += 1
    one.write_counts()
    assert "counts cannot be " in (tmp_path / "log").read_text()
    assert one.has_news()  # they are written when that can be done


def test_what_comes_back_is_logged_once(tmp_path: Path) -> None:
    one = Ledger(str(tmp_path))
    for _ in range(2):
        one.say_once("PATH differs")
    for number in range(2 * ledger.MAX_SAID):
        one.say_once(f"line {number}")
    lines = (tmp_path / "log").read_text().splitlines()
    assert sum("PATH differs" in line for line in lines) == 1
    assert len(lines) == ledger.MAX_SAID
