"""Measure a bundled script against bare Python, Perl's CGI.pm and PHP: the processor time of a GET.

    python3 benchmarks/bundle.py --rounds 200

Each way is a whole process, from the spawn to its end, in an environment with nothing but the request.
Processor time (user and system), not the clock: so a machine that does other things widens the result
less. Every round runs each way once, in shuffled order; the table has the least time of each and the
lower quartile, both as ratios to an empty script of bare Python.
"""

import argparse
import os
import random
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from cgikit.bundle.making import make  # noqa: E402
from cgikit.bundle.target import target  # noqa: E402
from cgikit.bundle.writing import write  # noqa: E402

SCRIPT = """#!/usr/bin/env python3
from cgikit import run
{more}
def hello(request):
    return "<h1>Hello</h1>"

run(hello)
"""
PERL = 'use CGI; my $q = CGI->new; print $q->header("text/html"), "<h1>Hello</h1>";'
PHP = "<?php ?><h1>Hello</h1>"
ENVIRON = {
    "GATEWAY_INTERFACE": "CGI/1.1",
    "PATH": "/usr/bin:/bin",
    "REDIRECT_STATUS": "200",
    "REQUEST_METHOD": "GET",
    "SCRIPT_NAME": "/hello",
}


def ways(place: Path, python: str) -> dict[str, list[str]]:
    """Return the command of each way, by its name; the first is what the others are compared with."""
    (place / "empty.py").touch()
    found = {
        "an empty script": [python, str(place / "empty.py")],
        "an empty script, `-IS`": [python, "-IS", str(place / "empty.py")],
        "the same, `-X frozen_modules=on`": [
            python, "-IS", "-X", "frozen_modules=on", str(place / "empty.py"),
        ],
    }  # fmt: skip
    shutil.copytree(ROOT / "cgikit", place / "folder" / "cgikit", ignore=_sources)
    os.spawnl(os.P_WAIT, python, python, "-m", "compileall", "-q", str(place / "folder"))
    begin = f"import sys; sys.path.insert(0, {str(place / 'folder')!r})\n"
    (place / "folder.py").write_text(begin + SCRIPT.format(more=""))
    found["cgikit in a folder, `-IS`"] = [python, "-IS", str(place / "folder.py")]
    for name, more in (("a bundle", ""), ("a bundle whose script imports `os`", "import os\n")):
        source, out = place / "hello.py", place / f"out{len(found)}"
        source.write_text(SCRIPT.format(more=more))
        write(make(str(source), target(python), wanted=python).bundle, str(out))
        found[f"**{name}**" if not more else name] = [python, "-IS", str(out / "hello.py")]
        if not more:
            found["the same without `-IS`"] = [python, str(out / "hello.py")]
    (place / "hello.pl").write_text(PERL)
    (place / "hello.php").write_text(PHP)
    for name, program, script in (
        ("Perl, CGI.pm", "perl", "hello.pl"),
        ("PHP", "php-cgi", "hello.php"),
    ):
        path = shutil.which(program)
        if path:
            found[name] = [path, str(place / script)]
    return found


def _sources(_: str, names: list[str]) -> list[str]:
    return [name for name in names if name == "__pycache__"]


def once(command: list[str]) -> float:
    """Run a command; return its processor time in seconds."""
    null = os.open(os.devnull, os.O_RDWR)
    streams = [(os.POSIX_SPAWN_DUP2, null, number) for number in (0, 1)]
    environ = {**ENVIRON, "SCRIPT_FILENAME": command[-1]}  # php-cgi asks for it
    pid = os.posix_spawn(command[0], command, environ, file_actions=streams)
    os.close(null)
    _, status, used = os.wait4(pid, 0)
    if status:
        raise SystemExit(f"{command}: status {status}")
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--python", default="/usr/bin/python3")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        commands = ways(Path(name), shutil.which(arguments.python) or sys.executable)
        times: dict[str, list[float]] = {way: [] for way in commands}
        for turn in range(arguments.rounds):
            for way in random.Random(turn).sample(list(commands), len(commands)):
                times[way].append(once(commands[way]))
    load = os.getloadavg()[0]
    print(f"{arguments.python}, {arguments.rounds} rounds, load at the end {load:.1f}\n")
    print("| | least | ratio | lower quartile | ratio |\n|---|---|---|---|---|")
    least, quarter = _figures(next(iter(times.values())))
    for way, found in times.items():
        low, part = _figures(found)
        print(
            f"| {way} | {low * 1000:.2f} ms | {low / least:.2f} "
            f"| {part * 1000:.2f} ms | {part / quarter:.2f} |"
        )


def _figures(times: list[float]) -> tuple[float, float]:
    """Return the least time, and the lower quartile."""
    return min(times), sorted(times)[len(times) // 4]


if __name__ == "__main__":
    main()
