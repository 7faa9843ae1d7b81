"""The 193 lines of 2008 move by themselves: `migrate --write`, and the same answers without `cgi`.

Before, the script runs with the old modules, Python's own or legacy-cgi's; after, in a Python that has
none of them, as 3.13 does, whichever one runs the tests.
"""

import shutil
from pathlib import Path

import pytest
from hiding import hiding

from cgikit.cli import main
from cgikit.testing import Client

SCRIPT = Path(__file__).parents[1] / "servers" / "scripts" / "guestbook2008.py"
PHOTO = bytes(range(256)) * 700
ENTRY = {
    "action": "sign",
    "name": "Jürgen <b>",
    "email": "",
    "message": "Grüße\nund ein Bild",
    "colour": ["red", "blue"],
}


def conversation(client: Client, data: Path) -> list[object]:
    """What the script answers to a visitor, and what it keeps."""
    asked = [
        client.get(),
        client.get("?from=Nobody"),
        client.post(data=ENTRY, files={"photo": ("C:\\Bilder\\käse.png", PHOTO)}),
        client.post(data={**ENTRY, "name": "Ada"}, files={"photo": ("", b"")}),
        client.post(data={"action": "sign", "message": "urlencoded", "name": "Bob"}),
        client.post(data={"action": "sign", "message": "x", "name": ""}),
        client.post("?action=sign", data={"name": "x"}),
        client.get("?from=J&from=A"),
        client.get(""),
    ]
    answers: list[object] = [
        (one.status, [(name, one.headers.getlist(name)) for name in one.headers], one.text)
        for one in asked
    ]
    assert [one.stderr for one in asked] == [""] * len(asked)
    failed = client.get("?action=fail")
    answers.append((failed.status, "RuntimeError" in failed.text, "is on fire" in failed.text))
    files = sorted(path for path in data.rglob("*") if path.is_file())
    return [*answers, *((str(path.relative_to(data)), path.read_bytes()) for path in files)]


def talked(place: Path, environ: dict[str, str]) -> list[object]:
    (place / "data").mkdir()
    client = Client(
        place / SCRIPT.name,
        environ={"PYTHONWARNINGS": "ignore", **environ},
        raise_errors=False,
        script_name="/guestbook.cgi",
    )
    return conversation(client, place / "data")


@pytest.mark.parametrize("options", [[], ["--unsafe"]], ids=["safe", "unsafe"])
@pytest.mark.parametrize("vendored", [False, True])
def test_it_is_moved_by_one_command_and_answers_as_before(
    options: list[str], vendored: bool, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    for place in (before, after):
        place.mkdir()
        shutil.copy(SCRIPT, place)
    if vendored:
        assert main(["vendor", "cgi", str(after)]) == 0
    assert main(["migrate", "--write", *options, str(after)]) == 0
    assert main(["migrate", "--check", *options, str(after)]) == 0, "a second run changes nothing"
    if vendored:
        assert main(["vendor", "cgi", str(after), "--remove"]) == 0
    assert [path.name for path in after.iterdir()] == [SCRIPT.name]
    assert capfd.readouterr().out.count("changed ") == 1
    without = {"PYTHONPATH": hiding(tmp_path / "modern")}
    assert talked(after, without) == talked(before, {})


def test_unmigrated_it_fails_without_the_old_modules(tmp_path: Path) -> None:
    """Otherwise the test above would say nothing."""
    shutil.copy(SCRIPT, tmp_path)
    without = {"PYTHONPATH": hiding(tmp_path / "modern")}
    answer = Client(tmp_path / SCRIPT.name, environ=without, raise_errors=False).get()
    assert answer.status == 500
    assert "No module named 'cgi'" in answer.stderr
