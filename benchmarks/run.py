"""Measure cgikit against its peers, as whole processes, and write RESULTS.md: `make bench`.

The order of things lives here: set up, measure each work, report. See README.md for what is
measured, how, and how to read it.
"""

import argparse
import json
import os
import random
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import idleness
import micro
from contenders import SCRIPTS, Contender, contenders
from process import Place, Run, peak_memory, request, seal
from report import Results, Series, render
from surroundings import VENV, facts, prepare
from works import BARE, CAT, UPLOAD_SIZES, WORKS, Work, envelope

LARGE = envelope("a large file", "large.bin", "application/octet-stream")
RESULTS = Path(__file__).with_name("RESULTS.md")
BLOCK = 1 << 20
CGI_ENVIRONMENT = {
    "CONTEXT_DOCUMENT_ROOT": "/usr/lib/cgi-bin/",
    "CONTEXT_PREFIX": "/cgi-bin/",
    "DOCUMENT_ROOT": "/var/www/html",
    "GATEWAY_INTERFACE": "CGI/1.1",
    "HTTP_ACCEPT": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "HTTP_ACCEPT_ENCODING": "gzip, deflate, br, zstd",
    "HTTP_ACCEPT_LANGUAGE": "en-US,en;q=0.5",
    "HTTP_CONNECTION": "keep-alive",
    "HTTP_COOKIE": "theme=dark; seen=1",
    "HTTP_HOST": "www.example.org",
    "HTTP_USER_AGENT": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "REDIRECT_STATUS": "200",
    "REMOTE_ADDR": "192.0.2.7",
    "REMOTE_PORT": "51234",
    "REQUEST_SCHEME": "http",
    "SERVER_ADDR": "192.0.2.1",
    "SERVER_ADMIN": "webmaster@example.org",
    "SERVER_NAME": "www.example.org",
    "SERVER_PORT": "80",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "SERVER_SOFTWARE": "Apache/2.4 (Unix)",
}


def cgi_environ(work: Work, length: int) -> dict[str, str]:
    """Return the meta-variables of a work's request, with a body of `length` bytes."""
    environ = {
        **CGI_ENVIRONMENT,
        "QUERY_STRING": work.query,
        "REQUEST_METHOD": "POST" if work.content_type else "GET",
        "REQUEST_URI": f"/cgi-bin/script?{work.query}".rstrip("?"),
        "SCRIPT_NAME": "/cgi-bin/script",
    }
    if work.content_type:
        environ["CONTENT_TYPE"] = work.content_type
        environ["CONTENT_LENGTH"] = str(length)
    return environ


class Wrong(Exception):
    """A contender's answer is not the one right answer."""


class Bench:
    """One measurement: the scratch directory, the contenders and how far each has counted."""

    def __init__(self, scratch: Path, who: list[Contender]) -> None:
        self.scratch = scratch
        self.who = who
        self.runs: dict[tuple[str, str], int] = {}
        self.jar: dict[tuple[str, str], str] = {}

    def series(self, work: Work, rounds: int) -> Series:
        """Measure one work: `rounds` rounds, in each every contender once, in shuffled order."""
        ready = {
            c.name: (c, argv)
            for c in self.who
            if not c.missing and (argv := c.argv(work, self._home(c)))
        }
        body = self._body(work, work.size)
        for contender, argv in ready.values():  # once unmeasured: caches warm, answer right
            self._once(work, contender, argv, body)
        samples: dict[str, list[float]] = {name: [] for name in ready}
        for turn in range(rounds):
            progress(f"{work.title}: round {turn + 1} of {rounds}")
            # Shuffled rather than rotated, so that nobody always runs in the same one's wake; the
            # seed is the round, so that every measurement uses the same orders.
            for name in random.Random(turn).sample(list(ready), len(ready)):
                samples[name].append(self._once(work, *ready[name], body).seconds)
        return Series(work, samples)

    def peaks(self, sizes: tuple[int, ...], upload: Work) -> dict[str, dict[int, int]]:
        """Peak memory in bytes of every contender, for an upload of each size."""
        found: dict[str, dict[int, int]] = {}
        for size in sizes:
            body = self._body(upload, size)
            for contender in self.who:
                argv = contender.argv(upload, self._home(contender))
                if size == UPLOAD_SIZES[-1] and contender.name != "cgikit":
                    continue  # some take 10 seconds for it
                if contender.missing or not argv or contender.copies:
                    continue
                progress(f"Peak memory: {size >> 20} MiB, {contender.name}")
                place = self._place(contender)
                environ = self._environ(upload, argv, body)
                run, peak = peak_memory(argv, environ, place, body, piped=True)
                self._check(contender, upload, run, f"<p>{size} bytes saved</p>")
                self._check_saved(contender, place.directory / "upload.bin", body, size)
                found.setdefault(contender.name, {})[size] = peak
            body.unlink()
        return found

    def _once(self, work: Work, contender: Contender, argv: list[str], body: Path) -> Run:
        key = (work.script, contender.name)
        self.runs[key] = self.runs.get(key, 0) + 1
        place = self._place(contender)
        environ = self._environ(work, argv, body)
        if work.cookies:
            environ["HTTP_COOKIE"] = self.jar.get(key, "")
        saved = place.directory / "upload.bin"
        output = saved if contender.copies else None
        run = request(argv, environ, place, body, piped=work.piped, output=output)
        self._check(contender, work, run, work.answer(self.runs[key]))
        if work.cookies and (found := re.search(rb"(?im)^set-cookie: *([^;\r\n]+)", run.output)):
            self.jar[key] = found[1].decode()
        if work.size:
            expected = body.stat().st_size if contender.copies else work.size
            self._check_saved(contender, saved, body, expected)
            os.sync()  # or writing this one back would slow the next one down
        return run

    def _home(self, contender: Contender) -> Path:
        """Return the contender's directory: its scripts, and where they run, as under a server."""
        home = self.scratch / (contender.directory or "none")
        if not home.exists():
            if contender.directory:
                shutil.copytree(SCRIPTS / contender.directory, home)
            (home / "data").mkdir(parents=True)
            (home / "data" / "count.dat").write_text("41\n")
        return home

    def _place(self, contender: Contender) -> Place:
        return Place(self._home(contender), self.scratch / "errors.txt")

    def _environ(self, work: Work, argv: list[str], body: Path) -> dict[str, str]:
        script = argv[-1]
        if "php-cgi" in argv[0]:
            script = str(self.scratch / "php" / f"{work.script}.php")
        # TMPDIR: peers that spool to the temporary directory use the same disk as we do.
        own = {"SCRIPT_FILENAME": script, "TMPDIR": str(self.scratch)}
        return cgi_environ(work, body.stat().st_size) | own

    def _check(self, contender: Contender, work: Work, run: Run, answer: str) -> None:
        if contender.silent:
            right = run.exit_code == 0 and not run.output
        else:
            head, _, html = run.output.replace(b"\r\n", b"\n").partition(b"\n\n")
            fields = [line.lower() for line in head.split(b"\n")]
            right = (
                run.exit_code == 0
                and any(line.startswith(b"content-type: text/html") for line in fields)
                and all(line.startswith(b"status: 200") for line in fields if b"status:" in line)
                and work.read(html.decode("utf-8", "replace")) == answer
            )
        if not right:
            raise Wrong(
                f"{contender.name}, {work.title}: wrong answer.\nexpected: {answer}\n"
                f"exit code: {run.exit_code}\noutput: {run.output!r:.2000}\n"
                f"errors: {run.errors:.4000}"
            )

    def _check_saved(self, contender: Contender, saved: Path, body: Path, size: int) -> None:
        """Check that the file saved has the size and the bytes that were sent; remove it."""
        with saved.open("rb") as file, body.open("rb") as sent:
            sent.seek(0 if contender.copies else len(LARGE[0]))
            right = saved.stat().st_size == size
            while right and (block := file.read(BLOCK)):
                right = block == sent.read(len(block))
        saved.unlink()
        if not right:
            raise Wrong(f"{contender.name}: the file saved is not the file sent")

    def _body(self, work: Work, size: int) -> Path:
        path = self.scratch / f"body-{work.script}-{size}"
        if not path.exists():
            head, tail = LARGE
            with path.open("wb") as file:
                file.write(head if size else work.body)
                for at in range(0, size, BLOCK):
                    file.write(content(at, size))
                file.write(tail if size else b"")
        return path


def content(at: int, size: int) -> bytes:
    """Return at most a block of the large file from `at`: arbitrary bytes, nowhere the same."""
    block = _NOISE[(at >> 20) % 97 :] + _NOISE[: (at >> 20) % 97]
    return (at.to_bytes(8, "big") + block)[: min(BLOCK, size - at)]


_NOISE = random.Random(3875).randbytes(BLOCK)


def progress(text: str) -> None:
    """Show where the measurement is: one line, rewritten on a terminal."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def in_process(venv: Path) -> dict[str, dict[str, float]]:
    """Run micro.py: the best times of many calls, and the median of first calls."""
    python = str(venv / "bin" / "python3")
    script = str(Path(micro.__file__))
    environ = {"PATH": os.environ["PATH"]}

    def run(*arguments: str) -> dict[str, dict[str, float]]:
        command = [python, script, *arguments]
        done = subprocess.run(command, env=environ, stdout=subprocess.PIPE, text=True, check=True)
        return json.loads(done.stdout)

    progress("In one process: the parsers")
    found = run()
    for name, case in found.items():
        for side in ("ours", "theirs"):
            progress(f"First call in a fresh process: {name}, {side}")
            times = sorted(run("first", f"{name}:{side}")["seconds"] for _ in range(15))
            case[f"first {side}"] = times[len(times) // 2]
    return found


def counting(venv: Path, scratch: Path) -> dict[str, dict[str, float]]:
    """Run counting.py in the scratch directory, which is on the disk of this tree."""
    progress("Counters in files")
    command = [str(venv / "bin" / "python3"), str(Path(__file__).with_name("counting.py"))]
    environ = {"PATH": os.environ["PATH"]}
    done = subprocess.run(
        command, env=environ, cwd=scratch, stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(done.stdout)


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--python", default=sys.executable, help="the interpreter to measure with")
    parser.add_argument("--rounds", type=int, default=80, help="rounds of each work (default: 80)")
    parser.add_argument(
        "--quick", action="store_true", help="10 rounds, no file of 1 GiB, no RESULTS.md"
    )
    parser.add_argument("--write", action="store_true", help="write RESULTS.md even so")
    parser.add_argument(
        "--busy", action="store_true", help="do not wait until the machine is idle; no RESULTS.md"
    )
    parser.add_argument(
        "--works", help=f"only these, comma-separated, of: {_names()}; no RESULTS.md"
    )
    parser.add_argument(
        "--only", help="only contenders whose names contain one of these; no RESULTS.md"
    )
    parser.add_argument(
        "--no-setup", action="store_true", help="measure what .venv-bench holds already"
    )
    return parser.parse_args()


def _names() -> str:
    return ", ".join([*(work.name for work in WORKS), "memory", "micro", "counting"])


def measure(
    chosen: argparse.Namespace, where: list[tuple[str, str]], venv: Path, scratch: Path
) -> Results:
    """Measure all that was chosen, in order."""
    who = contenders(venv)
    if chosen.only:
        words = [*chosen.only.lower().split(","), BARE.lower(), CAT]
        who = [c for c in who if any(word in c.name.lower() for word in words)]
    names = chosen.works.split(",") if chosen.works else _names().split(", ")
    rounds = 10 if chosen.quick else chosen.rounds
    results = Results(where, who, rounds)
    bench = Bench(scratch, who)
    for work in WORKS:
        if work.name in names:
            idleness.wait_for(chosen)
            results.series.append(bench.series(work, max(3, round(rounds * work.rounds))))
    if "memory" in names:
        enough = shutil.disk_usage(scratch).free > 4 * UPLOAD_SIZES[-1] and not chosen.quick
        sizes = UPLOAD_SIZES if enough else UPLOAD_SIZES[:-1]
        upload = next(work for work in WORKS if work.name == "upload-pipe")
        results.peaks = bench.peaks(sizes, upload)
    idleness.wait_for(chosen)
    if "micro" in names:
        results.micro = in_process(venv)
    if "counting" in names:
        results.counting = counting(venv, scratch)
    progress("")
    return results


def main() -> int:
    """Set up, measure, report. Returns the exit status: 1 when an answer was wrong, or the machine
    busy.
    """
    chosen = options()
    seal()
    # Ended by a signal, it should still remove the scratch directory, which may hold gigabytes.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    where = facts(shlex.join(["python3", *sys.orig_argv[1:]]))  # the load before ours
    progress("Setting up .venv-bench")
    venv = VENV if chosen.no_setup else prepare(chosen.python)
    here = Path.cwd()
    with tempfile.TemporaryDirectory(dir=venv, prefix="scratch-") as scratch:
        try:
            results = measure(chosen, where, venv, Path(scratch))
        except (Wrong, idleness.Busy) as error:
            progress("")
            print(error, file=sys.stderr)
            return 1
        finally:
            os.chdir(here)  # out of the scratch directory, or it could not be removed
    text = render(results)
    print(text)
    whole = not (chosen.quick or chosen.works or chosen.only)
    if (whole or chosen.write) and not chosen.busy:
        RESULTS.write_text(text)
        print(f"Written to {RESULTS.relative_to(RESULTS.parent.parent)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
