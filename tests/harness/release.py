"""Builds the sdist and the wheel of a release and checks both; what `make release` runs.

Nothing is published. Each is built twice, which must give the same bytes. Then the wheel is installed
into an empty environment, and the README's two commands are run in the unpacked sdist. Not a test
itself, since `make test` of the whole takes long; test_release.py runs its parts.
"""

import argparse
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from tempfile import TemporaryDirectory

from ports import LOOPBACK, free_port

ROOT = Path(__file__).parents[2]
LIMIT = 600.0  # seconds until the demo answers: it installs what it needs first

#: Version, files and the upload are for a person.
LEFT = """\
{files}
are built and checked; nothing is published. What is left to do:
  1. Look at the changelog: does CHANGELOG.md have a section for {version}?
  2. git tag -s v{version} -m 'cgikit {version}' && git push origin v{version}
  3. python -m twine upload {files}   (asks for a token of the index)
  4. In an empty environment: pip install cgikit=={version}; python -m cgikit --version"""


class Failed(Exception):
    """Something of the release is not as it should be; the text says what."""


def build(into: Path, root: Path = ROOT) -> list[Path]:
    """Build the sdist and the wheel; return both, the sdist first. The times in them are those of the
    commit, so another day gives the same bytes.
    """
    words = ["git", "-C", str(root), "log", "-1", "--format=%ct"]
    try:
        found = subprocess.run(words, capture_output=True, text=True).stdout.strip()
    except FileNotFoundError:
        found = ""
    epoch = os.environ.get("SOURCE_DATE_EPOCH") or found or "1580601600"
    environ = {**os.environ, "SOURCE_DATE_EPOCH": epoch}
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(into)]
    run([*command, "-t", "sdist", "-t", "wheel"], cwd=root, env=environ)
    return [*into.glob("*.tar.gz"), *into.glob("*.whl")]


def compare(first: list[Path], second: list[Path]) -> None:
    """Raise `Failed` unless two builds have the same names and bytes."""
    sums = [
        {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
        for files in (first, second)
    ]
    if sums[0] != sums[1]:
        raise Failed(f"two builds differ: {sums[0]} and {sums[1]}")


def check_wheel(wheel: Path, place: Path, *options: str) -> None:
    """Install the wheel into an empty environment with these options of pip; check the command, the
    module, the manual page and the scripts of `cgikit new`.
    """
    run([sys.executable, "-m", "venv", "--without-pip", str(place / "venv")])
    python = place / "venv" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    run([*pip, "--disable-pip-version-check", *options, str(wheel)])
    version = wheel.name.split("-")[1]
    for command in ([str(python.with_name("cgikit"))], [str(python), "-m", "cgikit"]):
        said = run([*command, "--version"], cwd=place).strip()
        if said != f"cgikit {version}":
            raise Failed(f"{' '.join(command)} --version says {said!r}, not cgikit {version}")
    if not (place / "venv/share/man/man1/cgikit.1").is_file():
        raise Failed(f"{wheel.name} has no manual page")
    kinds = sorted(
        file.name.removesuffix(".test.txt")
        for file in (ROOT / "cgikit" / "starters").glob("*.test.txt")
    )
    for kind in kinds:
        run([str(python), "-m", "cgikit", "new", f"a-{kind}", "--kind", kind], cwd=place)


def check_sdist(sdist: Path, place: Path, tests: str) -> None:
    """Unpack the sdist and run the README's two commands in it: `make demo` until its page is there,
    and `make test`, with `tests` as its ARGS.
    """
    with tarfile.open(sdist) as archive:
        archive.extractall(place, filter="data")
    (root,) = [each for each in place.iterdir() if each.name == sdist.name[: -len(".tar.gz")]]
    make = ["make", f"PYTHON={sys.executable}", "VENV=.venv"]
    port = free_port()
    with subprocess.Popen(
        [*make, "demo", f"PORT={port}"], cwd=root, start_new_session=True
    ) as process:
        try:
            _await(f"http://{LOOPBACK}:{port}/", process)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)
    run([*make, "test", f"ARGS={tests}"], cwd=root)


def _await(url: str, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + LIMIT
    while True:
        try:
            with urllib.request.urlopen(url, timeout=30):
                return
        except urllib.error.HTTPError as error:
            error.close()
            raise Failed(f"make demo answers with {error.code}") from None
        except OSError:
            if process.poll() is not None:
                raise Failed(f"make demo has ended with status {process.returncode}") from None
            if time.monotonic() > end:
                raise Failed(f"make demo has no page after {LIMIT:.0f} s") from None
            time.sleep(0.2)


def run(command: list[str], cwd: Path = ROOT, env: dict[str, str] | None = None) -> str:
    """Return what a command prints. Raises `Failed` with its errors if it fails."""
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True)
    if done.returncode:
        text = f"{done.stdout}{done.stderr}".strip()
        raise Failed(f"{' '.join(command)} ended with status {done.returncode}:\n{text}")
    return done.stdout


def main(argv: list[str] | None = None) -> int:
    """Build into dist/, check, and print what is left to do."""
    parser = argparse.ArgumentParser(description="Build and check a release.")
    parser.add_argument("--tests", default="", help="ARGS of make test in the sdist")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="a folder, made anew")
    arguments = parser.parse_args(argv)
    out: Path = arguments.out
    try:
        with TemporaryDirectory() as name:
            place = Path(name)
            first, second = build(place / "first"), build(place / "second")
            compare(first, second)
            run([sys.executable, "-m", "twine", "check", "--strict", *map(str, first)])
            check_wheel(first[1], place)
            (place / "sdist").mkdir()
            check_sdist(first[0], place / "sdist", arguments.tests)
            shutil.rmtree(out, ignore_errors=True)
            out.mkdir(parents=True)
            made = [Path(shutil.copy(file, out)) for file in first]
    except Failed as error:
        print(f"make release: {error}", file=sys.stderr)
        return 1
    version = made[1].name.split("-")[1]
    print(LEFT.format(files=" ".join(os.path.relpath(file) for file in made), version=version))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
