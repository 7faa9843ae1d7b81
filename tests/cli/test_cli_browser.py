"""`cgikit serve --open`: a real program in the place of the browser."""

import sys
from pathlib import Path

from serving import serve, until


def test_the_browser_is_asked_for_the_url_that_was_printed(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    program = tmp_path / "look"
    program.write_text(
        f"#!{sys.executable}\nimport sys\nopen({str(seen)!r}, 'w').write(sys.argv[1] + '!')"
    )
    program.chmod(0o755)
    (tmp_path / "root").mkdir()
    with serve(tmp_path / "root", "--open", environment={"BROWSER": f"{program} %s"}) as server:
        assert until(lambda: seen.exists() and seen.read_text() == f"{server.url}!")


def test_without_a_browser_it_serves_and_says_what_to_do(tmp_path: Path) -> None:
    missing = {"BROWSER": "no-such-browser %s"}
    with serve(tmp_path, "--open", environment=missing) as server:
        server.wait_for(rf"--open: visit {server.url} yourself")


def test_a_browser_for_the_terminal_does_not_take_it(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    program = tmp_path / "lynx"
    program.write_text(f"#!/bin/sh\n: >{seen}\n")
    program.chmod(0o755)
    with serve(tmp_path, "--open", environment={"BROWSER": f"{program} %s"}) as server:
        server.wait_for("--open does not start lynx in this terminal")
    assert not seen.exists()
