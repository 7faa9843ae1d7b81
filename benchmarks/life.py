"""How long each step of a CGI request takes here, beside what is told of 1998: `make life`.

Traces the scripts of docs/understand/life-of-a-request with `cgikit trace --json`, and writes the
tables between the markers of life-of-a-request.md and life-warm.md. What is compared with other
servers is taken from the tables of performance.md, which `make bench-gateways` wrote.
"""

import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

DOCS = Path(__file__).resolve().parent.parent / "docs" / "understand"
FOLDER = DOCS / "life-of-a-request"
RUNS = 20

#: What is told of a Perl counter under Apache 1.3 on a Pentium II with 300 MHz and 128 MB.
CLASSIC = {
    "fork": "10 to 50",
    "exec": "20 to 80",
    "start": "30 to 100",
    "imports": "50 to 200",
    "logic": "5 to 20",
    "whole": "200 to 600",
    "memory": "2 to 8 MB",
    "rate": "15 to 30",
    "static": "500",
}

#: In a process that has run the script: the most memory that it had.
PEAK = """
import sys
exec(compile(open(sys.argv[1]).read(), sys.argv[1], "exec"))
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(peak.split()[1], file=sys.stderr)
"""


def trace(script: str) -> "dict[str, list[dict[str, float]]]":
    """Return the steps of each run (name: ms) as "steps", and what each way took as its name."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(FOLDER, folder, dirs_exist_ok=True)
        done = subprocess.run(
            [sys.executable, "-m", "cgikit", "trace", "-n", str(RUNS), "--compare", "--json",
             script, "style=led", "digits=6"],
            cwd=folder, env=environ(), capture_output=True, check=True,
        )  # fmt: skip
    events = json.loads(done.stdout)["traceEvents"]
    names = {e["pid"]: e["args"]["name"] for e in events if e["ph"] == "M"}
    found: dict[str, list[dict[str, float]]] = {}
    runs: dict[tuple[int, int], dict[str, float]] = {}
    for event in (e for e in events if e["ph"] == "X"):
        name = names[event["pid"]]
        kind = name.split(",")[0] if name.endswith("not asked") else "steps"
        run = (event["pid"], event["tid"])
        if run not in runs:
            found.setdefault(kind, []).append(runs.setdefault(run, {"imports": 0.0}))
        if event["name"].startswith("import "):
            if event.get("args", {}).get("note", "").rpartition(":")[0].endswith(script):
                runs[run]["imports"] += event["dur"] / 1000
        else:
            runs[run][event["name"]] = event["dur"] / 1000
    return found


def environ() -> dict[str, str]:
    """Return the environment, with the directory of this Python first, for the scripts' first lines."""
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


def peak(script: str) -> float:
    """Return the most memory that a process had which ran the script, in MB."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(FOLDER, folder, dirs_exist_ok=True)
        done = subprocess.run(
            [sys.executable, "-c", PEAK, script], cwd=folder, capture_output=True, check=True
        )
    return int(done.stderr.split()[-1]) / 1024


def performance(pattern: str) -> list[str]:
    """Return the cells of the row of performance.md whose first cell is `pattern`."""
    text = (DOCS / "performance.md").read_text()
    row = re.search(rf"^\| {re.escape(pattern)} \|.*$", text, re.M)
    assert row is not None, pattern
    return [cell.strip() for cell in row[0].strip("|").split("|")]


def table(steps: list[dict[str, float]]) -> list[str]:
    """Return the rows of the main table: 1998 and here."""
    start = ("interpreter", "site", "compile")
    whole = ("fork", "exec", *start, "script", "exit", "reaped")
    for run in steps:
        run["logic"] = run["script"] - run["imports"]
    fastest = min(steps, key=lambda run: sum(run.get(n, 0) for n in whole))

    def here(*names: str) -> str:
        times = [sum(run.get(n, 0) for n in names) for run in steps]
        quick = sum(fastest.get(n, 0) for n in names)
        return f"{statistics.median(times):.1f} ms | {quick:.1f} ms"

    rate = performance("Python print, mod_cgid")[3]
    static = performance("a static file, Apache")[3]
    return [
        "| step | 1998, as told | here, median | here, the fastest run |",
        "|---|--:|--:|--:|",
        f"| fork | {CLASSIC['fork']} ms | {here('fork')} |",
        f"| exec | {CLASSIC['exec']} ms | {here('exec')} |",
        f"| the interpreter starts and compiles the script | {CLASSIC['start']} ms | {here(*start)} |",
        f"| modules | {CLASSIC['imports']} ms | {here('imports')} |",
        f"| the script's own work | {CLASSIC['logic']} ms | {here('logic')} |",
        f"| exit, and the status is collected | not told | {here('exit', 'reaped')} |",
        f"| the whole | {CLASSIC['whole']} ms | {here(*whole)} |",
        f"| memory of a process | {CLASSIC['memory']} | {peak('counter.py'):.1f} MB | |",
        f"| requests a second, a script that prints | {CLASSIC['rate']} | {rate} | |",
        f"| requests a second, a file | {CLASSIC['static']} | {static} | |",
    ]


def claims() -> list[str]:
    """Return the rows of what is said to be faster, from performance.md."""
    rows = [performance(name) for name in ("mod_perl", "FastCGI", "PHP", "servlets", "ASP")]
    lines = [f"| {n} | {said} | {there} | {m} |" for n, said, there, m in rows]
    return [
        "| what replaced CGI | said to be, times | compared | measured, times |",
        "|---|--:|---|--:|",
        *lines,
    ]


def ways(found: "dict[str, list[dict[str, float]]]") -> list[str]:
    """Return the rows of life-warm.md: the same request in three ways."""
    lines = ["| way | median | least | most |", "|---|--:|--:|--:|"]
    for name in ("CGI", "warm", "persistent"):
        times = [run[name] for run in found[name]]
        lines.append(
            f"| {name} | {statistics.median(times):.2f} ms | {min(times):.2f} | {max(times):.2f} |"
        )
    return lines


def made(script: str, more: str = "") -> str:
    """Return the sentence that says how, where and when this was measured."""
    where = processor()
    load = os.getloadavg()[0]
    if load > (os.cpu_count() or 1):
        more += " **The machine was busy with other work**, and takes less time when it is idle."
    return (
        f"Measured by `cgikit trace -n {RUNS} --compare --json {script} style=led digits=6` on "
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {where}, {os.cpu_count()} cores, CPython "
        f"{platform.python_version()}, load before: {load:.2f} (1-minute average).{more}"
    )


def processor() -> str:
    """Return what the processor is called."""
    name = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.M)
    return name[1].strip() if name else platform.machine()


def write(page: Path, marker: str, lines: list[str]) -> None:
    """Put the lines between the markers of a page."""
    text = page.read_text()
    begin, end = f"<!-- {marker}: begin -->", f"<!-- {marker}: end -->"
    head, rest = text.split(begin)
    _, tail = rest.split(end)
    page.write_text("\n".join([head + begin, "", *lines, "", end + tail]))


def main() -> None:
    """Measure, and write the tables."""
    note = made(
        "counter.py",
        " Requests a second are those of [performance](performance.md#all-contenders), which has the"
        " day and the machine.",
    )
    write(DOCS / "life-of-a-request.md", "life", [note, "", *table(trace("counter.py")["steps"])])
    write(DOCS / "life-of-a-request.md", "claims", claims())
    note = made("hits.py")
    write(DOCS / "life-warm.md", "ways", [note, "", *ways(trace("hits.py"))])


if __name__ == "__main__":
    main()
